#include "daemon/store/file_twins.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

namespace ingot::store {

namespace fs = std::filesystem;

Result<FileTwins> FileTwins::open(const fs::path& directory, const std::string& boot) {
  INGOT_CHECK(sys::make_directories(directory, 0700));
  return FileTwins(directory, boot);
}

Result<sys::UniqueFd> FileTwins::of(const fs::path& layer) const {
  const fs::path place = directory_ / boot_ / layer.filename();
  constexpr int kTries = 5;
  for (int left = kTries;; --left) {
    const Status made = sys::make_directories(place, 0700);
    auto fd = made ? sys::open_file(place, O_RDONLY | O_DIRECTORY) : base::fail(made.error());
    // An empty one may be removed at any time.
    if (fd || left == 0 || fd.error().kind != ErrorKind::not_found) return fd;
  }
}

std::string FileTwins::name_of(const struct stat& file, const CopyAttributes& attributes) {
  return fmt::format("{}-{}-{}-{:o}-{}.{}", file.st_ino, attributes.uid, attributes.gid, attributes.mode,
                     attributes.time.tv_sec, attributes.time.tv_nsec);
}

void FileTwins::remove_unused() const {
  std::error_code error;
  std::vector<fs::path> directories;
  for (fs::recursive_directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->is_directory(gone))
      directories.push_back(entry->path());
    else if (entry->hard_link_count(gone) == 1 && !gone)
      unlink(entry->path().c_str());
  }
  // Those below come after those above. One that is not empty stays.
  for (auto place = directories.rbegin(); place != directories.rend(); ++place) rmdir(place->c_str());
}

}  // namespace ingot::store
