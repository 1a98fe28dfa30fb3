#include "daemon/store/unsynced_marks.h"

#include <unistd.h>

#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::store {

namespace {

using base::fail_errno;

constexpr std::string_view kPrefix = "unsynced-";

Result<std::vector<base::Digest>> digests_in(const fs::path& directory) {
  std::vector<base::Digest> digests;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (auto digest = base::Digest::parse("sha256:" + entry->path().filename().string())) digests.push_back(*digest);
  }
  if (error) return fail_errno(error.value(), "cannot read " + directory.string());
  return digests;
}

Status drop_doubts(const fs::path& directory, const fs::path& current,
                   const std::function<void(const base::Digest&)>& drop) {
  std::vector<fs::path> old;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const bool marks = entry->path().filename().string().starts_with(kPrefix);
    if (marks && entry->path() != current) old.push_back(entry->path());
  }
  if (error) return fail_errno(error.value(), "cannot read " + directory.string());
  for (const auto& marks : old) {
    INGOT_TRY(auto digests, digests_in(marks));
    for (const auto& digest : digests) drop(digest);
    INGOT_CHECK(sys::remove_tree(marks));
  }
  return {};
}

}  // namespace

Result<UnsyncedMarks> UnsyncedMarks::open(const fs::path& directory, const std::string& boot_id,
                                          const std::function<void(const base::Digest&)>& drop) {
  const fs::path current = directory / (std::string(kPrefix) + boot_id);
  INGOT_CHECK(sys::make_directories(current, 0750));
  INGOT_CHECK(drop_doubts(directory, current, drop));
  INGOT_CHECK(sys::sync_directory(directory));
  return UnsyncedMarks(current);
}

Status UnsyncedMarks::add(const fs::path& file, const base::Digest& digest) const {
  const fs::path mark = directory_ / digest.hex();
  // Another writer of the same bytes may have marked it just now.
  if (link(file.c_str(), mark.c_str()) == 0 || errno == EEXIST) return {};
  return fail_errno(errno, "cannot mark " + file.string() + " as unsynced");
}

Status UnsyncedMarks::remove(const base::Digest& digest) const {
  const fs::path mark = directory_ / digest.hex();
  if (unlink(mark.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno(errno, "cannot remove " + mark.string());
}

Result<std::vector<base::Digest>> UnsyncedMarks::list() const {
  return digests_in(directory_);
}

std::string current_boot_id() {
  auto text = sys::read_file("/proc/sys/kernel/random/boot_id", 100);
  return text ? std::string(base::trim(*text)) : "unknown";
}

}  // namespace ingot::store
