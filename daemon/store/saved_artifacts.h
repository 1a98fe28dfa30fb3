#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/base/keyed_mutex.h"
#include "daemon/base/result.h"
#include "daemon/db/database.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/store/leases.h"
#include "proto/types.h"

namespace ingot::store {

// What SAVE ARTIFACT gave for a snapshot, so that what was saved once is neither copied nor hashed again. Thread-safe.
class SavedArtifacts {
 public:
  SavedArtifacts(db::Database& database, const BlobStore& blobs) : database_(database), blobs_(blobs) {}

  // What is known already, if all of it is still kept; else what `make` gives. Who wants the same meanwhile waits for
  // it.
  using Artifacts = std::vector<proto::Artifact>;
  Result<Artifacts> get(SnapshotId snapshot, const graph::SaveArtifact& save,
                        const std::function<Result<Artifacts>()>& make);

 private:
  Result<std::optional<Artifacts>> find(SnapshotId snapshot, const std::string& request) const;
  Status keep(SnapshotId snapshot, const std::string& request, const Artifacts& artifacts) const;

  db::Database& database_;
  const BlobStore& blobs_;
  base::KeyedMutex being_made_;
};

}  // namespace ingot::store
