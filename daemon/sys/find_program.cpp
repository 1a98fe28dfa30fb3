#include "daemon/sys/find_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/base/strings.h"

namespace ingot::sys {

namespace {

bool is_program(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* set = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): the daemon never changes its environment
  const std::string path = std::string(set != nullptr ? set : "/usr/local/bin:/usr/bin:/bin");
  for (const auto& directory : base::split(path + ":/usr/local/sbin:/usr/sbin:/sbin", ':')) {
    if (directory.empty()) continue;  // POSIX reads it as the working directory, from which nothing is run here
    std::string candidate = directory + "/" + name;
    if (!name.empty() && is_program(candidate)) return candidate;
  }
  return base::fail(ErrorKind::unsupported, "the program \"" + name + "\" is not installed",
                    "install the package that has it, or mend the daemon's PATH");
}

}  // namespace ingot::sys
