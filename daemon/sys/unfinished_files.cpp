#include "daemon/sys/unfinished_files.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

namespace ingot::sys {

Status remove_unfinished_files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> unfinished;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kUnfinishedPrefix)) unfinished.push_back(entry->path());
  }
  if (error) return base::fail_errno(error.value(), "cannot read " + directory.string());
  for (const auto& file : unfinished) {
    if (unlink(file.c_str()) != 0 && errno != ENOENT) return base::fail_errno(errno, "cannot remove " + file.string());
  }
  return {};
}

}  // namespace ingot::sys
