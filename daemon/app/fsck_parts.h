#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/app/fsck.h"
#include "daemon/base/digest.h"
#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/contexts.h"

// The passes of fsck(). Each leaves what it looked at in order, so that the next may rely on it.
namespace ingot::app {

namespace fs = std::filesystem;

struct FsckRun {
  fs::path state;
  FsckDepth depth;
  db::Database& database;
  const std::function<void(const std::string&)>& tell;
  FsckResult result{};

  void mended(const std::string& what) {
    ++result.mended;
    tell(what);
  }
  void left(const std::string& what) {
    ++result.left;
    tell(what);
  }
  fs::path blob(const base::Digest& digest) const {
    const std::string hex = digest.hex();
    return state / "blobs" / hex.substr(0, 2) / hex;
  }
  // The rows of a query, as texts; a NULL is "".
  Result<std::vector<std::vector<std::string>>> rows(const std::string& sql, int columns) const;
  // One statement with texts as its parameters, in a transaction of its own.
  Status change(const std::string& sql, const std::vector<std::string>& parameters) const;
};

Status check_database(FsckRun& run);
Status check_snapshots(FsckRun& run);
Status check_blobs(FsckRun& run);
Status check_contexts(FsckRun& run);
Status check_composed_blobs(FsckRun& run);
Status check_layer_blobs(FsckRun& run);
Status check_artifacts(FsckRun& run);
Status check_logs(FsckRun& run);
Status check_loose_blobs(FsckRun& run, store::BlobStore& blobs, store::ContextStore& contexts);

std::vector<fs::path> fsck_entries(const fs::path& directory);

}  // namespace ingot::app
