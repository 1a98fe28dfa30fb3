#include "daemon/solver/step_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::solver {

Result<std::string> text_of_file(const sys::RootedDir& root, const std::string& path) {
  constexpr std::size_t kLongest = 16U << 20;
  // A pipe that somebody left there must not be waited for.
  INGOT_TRY(auto file, root.open_path(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return base::fail_errno(errno, "cannot look at " + path);
  if (!S_ISREG(status.st_mode)) return base::fail(ErrorKind::invalid, base::printable(path) + " is no file");
  std::string text;
  std::array<char, 1U << 16> part{};
  while (true) {
    const ssize_t got = read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "cannot read " + path);
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > kLongest) {
      return base::fail(ErrorKind::too_large, base::printable(path) + " is longer than " + base::human_bytes(kLongest));
    }
  }
}

}  // namespace ingot::solver
