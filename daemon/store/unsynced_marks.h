#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

// Which blobs the disk may not have yet: a link to each in unsynced-<boot id>/. A blob that is renamed into its place
// without an fsync can be there after a power cut with other bytes than its name says; a journal keeps the order of
// names, so its mark is there then too. Thread-safe.
class UnsyncedMarks {
 public:
  // Marks of an earlier boot are doubts: their blobs are dropped, through `drop`, and asked for again. Those of this
  // boot, which a daemon that was killed left, are in the kernel's cache whole and stay marked.
  static Result<UnsyncedMarks> open(const fs::path& directory, const std::string& boot_id,
                                    const std::function<void(const base::Digest&)>& drop);

  Status add(const fs::path& file, const base::Digest& digest) const;  // before the blob gets its name
  Status remove(const base::Digest& digest) const;                     // once it is synced
  Result<std::vector<base::Digest>> list() const;

 private:
  explicit UnsyncedMarks(fs::path directory) : directory_(std::move(directory)) {}
  fs::path directory_;
};

std::string current_boot_id();

}  // namespace ingot::store
