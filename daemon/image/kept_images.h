#pragma once

#include <optional>
#include <string>

#include "daemon/image/images.h"

namespace ingot::image {

// The images that were fetched, in the database: they outlive the daemon. Thread-safe.
class KeptImages {
 public:
  KeptImages(db::Database& database, store::SnapshotStore& snapshots) : database_(database), snapshots_(snapshots) {}

  // One whose files somebody removed is forgotten rather than found.
  Result<std::optional<Image>> find(const std::string& key) const;
  enum class Conflict { first_stays, last_wins };
  // The one under that key from now on, which is another's when that was faster and stays.
  Result<Image> keep(const std::string& key, const Image& image, Conflict conflict) const;

 private:
  Result<std::optional<Image>> look_up(const std::string& key) const;

  db::Database& database_;
  store::SnapshotStore& snapshots_;
};

}  // namespace ingot::image
