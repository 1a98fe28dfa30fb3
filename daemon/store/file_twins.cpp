#include "daemon/store/file_twins.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ingot::store {

namespace fs = std::filesystem;

Result<FileTwins> FileTwins::open(const fs::path& directory, const std::string& boot) {
  INGOT_CHECK(sys::make_directories(directory / boot, 0700));
  return FileTwins(directory, boot);
}

Result<sys::UniqueFd> FileTwins::of(const fs::path& layer) const {
  const fs::path place = directory_ / boot_ / layer.filename();
  INGOT_CHECK(sys::make_directories(place, 0700));
  return sys::open_file(place, O_RDONLY | O_DIRECTORY);
}

std::string FileTwins::name_of(const struct stat& file, const CopyAttributes& attributes) {
  return fmt::format("{}-{}-{}-{:o}-{}.{}", file.st_ino, attributes.uid, attributes.gid, attributes.mode,
                     attributes.time.tv_sec, attributes.time.tv_nsec);
}

void FileTwins::remove_unused() const {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    if (entry.depth() < 2) continue;
    if (entry->hard_link_count(error) == 1 && !error) unlink(entry->path().c_str());
    error.clear();
  }
}

}  // namespace ingot::store
