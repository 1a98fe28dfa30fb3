#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/store/blobs.h"
#include "proto/types.h"

namespace ingot::store {

struct ContextLimits {
  std::uint64_t max_entries = 200'000;
  std::uint64_t max_file_bytes = 16ULL << 30;
  std::uint64_t max_total_bytes = 64ULL << 30;
};

// The project directories that clients sent: a manifest each, files by digest in the blob store. Thread-safe.
class ContextStore {
 public:
  static Result<ContextStore> open(const fs::path& directory, BlobStore& blobs, ContextLimits limits);

  // Says which blobs are still to be sent; when none is, makes all durable and keeps the manifest. A path
  // that is absolute, has "..", comes twice, lies below a file, or a symlink that leads out is refused with
  // its name, and so is what is over the limits.
  Result<proto::ContextStatus> offer(const proto::ContextManifest& manifest);
  Result<proto::ContextManifest> load(const base::Digest& digest) const;  // kind `not_found`
  const ContextLimits& limits() const { return limits_; }

  struct Totals {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  Totals totals() const;
  // Hands every manifest's text to `see`, as it is on the disk.
  using See = std::function<void(const base::Digest&, const std::string& text)>;
  Status read_all(const See& see) const;
  struct Unused {
    Totals removed;
    std::set<RawDigest> contexts;
    std::vector<RawDigest> files;  // what they referred to
  };
  // Removes the contexts that were last offered or asked for before that time and that `is_needed` has no need of.
  // It is safe beside who submits a job: that looks at the context first, which makes it one that was used just now,
  // under the lock under which the last look at its age is taken.
  using Needed = std::function<Result<bool>(const base::Digest&)>;
  Result<Unused> remove_unused(std::int64_t used_before_ms, const Needed& is_needed, bool dry_run);

 private:
  struct Books {
    std::mutex mutex;  // guards the totals, and every removal of a manifest
    Totals totals;
  };
  ContextStore(fs::path directory, BlobStore& blobs, ContextLimits limits);
  Result<std::vector<std::string>> missing_blobs(const proto::ContextManifest& manifest, bool is_kept) const;
  fs::path path_of(const base::Digest& digest) const { return directory_ / (digest.hex() + ".json"); }
  bool touch(const base::Digest& digest) const;  // it was used now; false when it is not there

  fs::path directory_;
  std::shared_ptr<Books> books_ = std::make_shared<Books>();
  BlobStore* blobs_;
  ContextLimits limits_;
};

}  // namespace ingot::store
