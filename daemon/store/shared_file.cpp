#include "daemon/store/shared_file.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/sys/files.h"

namespace ingot::store {

namespace {

bool is_itself_or_above(const char* name) {
  return std::string_view(name) == "." || std::string_view(name) == "..";
}

// By what the directories say: no file is looked at.
std::optional<std::vector<ino_t>> files_below(const std::filesystem::path& directory) {
  std::vector<ino_t> inodes;
  std::vector<std::filesystem::path> pending = {directory};
  while (!pending.empty()) {
    const auto path = std::move(pending.back());
    pending.pop_back();
    auto fd = sys::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) return std::nullopt;
    DIR* entries = fdopendir(fd->get());
    if (entries == nullptr) return std::nullopt;
    (void)fd->release();
    while (const dirent* entry = readdir(entries)) {
      if (entry->d_type == DT_REG) inodes.push_back(entry->d_ino);
      if (entry->d_type == DT_DIR && !is_itself_or_above(entry->d_name)) pending.push_back(path / entry->d_name);
    }
    closedir(entries);
  }
  std::sort(inodes.begin(), inodes.end());
  return inodes;
}

}  // namespace

SharedFile SharedFile::of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_blocks) * 512, status.st_ino, status.st_nlink > 1};
}

bool FileFinder::has(const std::filesystem::path& directory, ino_t inode) {
  constexpr std::size_t kRemembered = 4;
  const std::lock_guard lock(mutex_);
  auto known = std::find_if(known_.begin(), known_.end(), [&](const Known& one) { return one.directory == directory; });
  if (known == known_.end()) {
    auto inodes = files_below(directory);
    if (!inodes) return false;  // it went meanwhile, or could not be read just now
    if (known_.size() == kRemembered) known_.pop_front();
    known_.push_back({directory, std::move(*inodes)});
    known = known_.end() - 1;
  }
  return std::binary_search(known->inodes.begin(), known->inodes.end(), inode);
}

}  // namespace ingot::store
