#include "daemon/sys/directory_names.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "daemon/sys/files.h"

namespace ingot::sys {

Result<std::vector<std::string>> names_in(int directory, const std::string& path) {
  // A descriptor of its own: copies share their place in the directory.
  UniqueFd fd(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::fail_errno(errno, "cannot read directory " + path);
  const std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(fd.get()), closedir);
  if (!open) return base::fail_errno(errno, "cannot read directory " + path);
  fd.release();
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ingot::sys
