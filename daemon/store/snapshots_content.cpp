#include "daemon/store/snapshots.h"
#include "daemon/store/tree_compare.h"
#include "daemon/store/tree_digest.h"
#include "daemon/sys/rooted.h"

// What snapshots have in them, and whether two have the same.
namespace ingot::store {

Result<std::vector<SnapshotStore::Layer>> SnapshotStore::chain(SnapshotId id) const {
  std::vector<Layer> layers;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("WITH RECURSIVE chain (id, parent) AS (SELECT id, parent FROM snapshots WHERE id = ? "
                                 "UNION ALL SELECT s.id, s.parent FROM snapshots s JOIN chain c ON s.id = c.parent) "
                                 "SELECT s.id, s.bytes, s.entries, s.layer_digest FROM chain c "
                                 "JOIN snapshots s ON s.id = c.id ORDER BY s.id DESC"));
    query.bind(1, id);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      Layer layer{query.number(0),
                  static_cast<std::uint64_t>(query.number(1)),
                  static_cast<std::uint64_t>(query.number(2)),
                  {}};
      if (!query.is_null(3)) {
        INGOT_TRY(layer.digest, base::Digest::parse(query.text(3)));
      }
      layers.push_back(std::move(layer));
    }
  }));
  return layers;
}

Result<base::Digest> SnapshotStore::layer_digest(const Layer& layer) const {
  if (!layer.digest.empty()) return layer.digest;
  INGOT_TRY(auto root, sys::RootedDir::open(directory_ / std::to_string(layer.id)));
  INGOT_TRY(auto digest, tree_digest(root, {"/"}, {}));
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto update, database_->prepare("UPDATE snapshots SET layer_digest = ? WHERE id = ?"));
    return update.bind(1, digest.str()).bind(2, layer.id).run();
  }));
  return digest;
}

Result<bool> SnapshotStore::same_content(SnapshotId one, SnapshotId other) {
  INGOT_TRY(auto ones, chain(one));
  INGOT_TRY(auto others, chain(other));
  if (ones.size() != others.size()) return false;
  // What costs nothing first, from the top down to where both stand on the same.
  std::size_t differing = 0;
  for (; differing < ones.size() && ones[differing].id != others[differing].id; ++differing) {
    if (ones[differing].entries != others[differing].entries) return false;
  }
  for (std::size_t i = 0; i < differing; ++i) {
    INGOT_TRY(bool same, same_layer(ones[i], others[i]));
    if (!same) return false;
  }
  return true;
}

// Other layers differ within a few entries, which is why both are not read to their ends for a digest; equal ones are
// read once in the life of this process.
Result<bool> SnapshotStore::same_layer(const Layer& one, const Layer& other) const {
  if (!one.digest.empty() && !other.digest.empty()) return one.digest == other.digest;
  if (equal_->has(one.id, other.id)) return true;
  INGOT_TRY(auto root, sys::RootedDir::open(directory_ / std::to_string(one.id)));
  INGOT_TRY(auto other_root, sys::RootedDir::open(directory_ / std::to_string(other.id)));
  INGOT_TRY(bool same, same_trees(root, other_root, {"/"}, {}));
  if (same) equal_->add(one.id, other.id);
  return same;
}

Result<base::Digest> SnapshotStore::content_digest(SnapshotId id) {
  INGOT_TRY(auto layers, chain(id));
  std::string digests;
  for (const auto& layer : layers) {
    INGOT_TRY(auto digest, layer_digest(layer));
    digests += digest.str() + "\n";
  }
  return base::Digest::of(digests);
}

}  // namespace ingot::store
