#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/db/database.h"
#include "daemon/store/blobs.h"

namespace ingot::store {

// Bytes that are there as parts of blobs: the tar of a layer is the layer's own files, with headers between them. What
// is composed is known by its digest and has no file of its own until somebody reads it. Its parts stay as long as its
// row does. Thread-safe.
class ComposedBlobs {
 public:
  ComposedBlobs(db::Database& database, const BlobStore& blobs) : database_(database), blobs_(blobs) {}

  struct Part {
    base::Digest blob;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  // One that is known already stays what it is. In a transaction.
  static Status record(db::Database& database, const base::Digest& digest, const std::vector<Part>& parts);

  // None when it is not known, or a part of it is not there.
  Result<std::optional<std::uint64_t>> size(const base::Digest& digest) const;
  // The same of what may be a blob as well.
  Result<std::optional<std::uint64_t>> size_of_any(const base::Digest& digest) const;
  Status read(const base::Digest& digest, const std::function<Status(std::string_view)>& sink) const;
  // A blob, or a file without a name that has all the bytes of a composed one; at its beginning.
  Result<sys::UniqueFd> open_any(const base::Digest& digest) const;

 private:
  Result<std::vector<Part>> parts(const base::Digest& digest) const;

  db::Database& database_;
  const BlobStore& blobs_;
};

}  // namespace ingot::store
