#pragma once

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

 private:
  ContextStore(fs::path directory, BlobStore& blobs, ContextLimits limits);
  Result<std::vector<std::string>> missing_blobs(const proto::ContextManifest& manifest) const;

  fs::path directory_;
  BlobStore* blobs_;
  ContextLimits limits_;
};

}  // namespace ingot::store
