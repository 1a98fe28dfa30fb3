#include "daemon/store/layer_shares.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ingot::store {

namespace {

Status add_share(db::Database& database, SnapshotId layer, SnapshotId source, std::uint64_t bytes) {
  INGOT_TRY(auto insertion, database.prepare("INSERT INTO layer_shares (layer, source, bytes) VALUES (?1, ?2, ?3) "
                                             "ON CONFLICT (layer, source) DO UPDATE SET bytes = bytes + ?3"));
  return insertion.bind(1, layer).bind(2, source).bind(3, static_cast<std::int64_t>(bytes)).run();
}

Status add_blob_share(db::Database& database, SnapshotId layer, const std::string& digest, const SharedFile& file) {
  INGOT_TRY(auto insertion,
            database.prepare("INSERT INTO blob_shares (digest, layer, bytes, inode) VALUES (?, ?, ?, ?)"));
  insertion.bind(1, digest).bind(2, layer).bind(3, static_cast<std::int64_t>(file.bytes));
  return insertion.bind(4, static_cast<std::int64_t>(file.inode)).run();
}

}  // namespace

std::uint64_t LayerShares::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [layer, bytes] : with_layers) sum += bytes;
  for (const auto& [layer, bytes] : with_twins_of) sum += bytes;
  for (const auto& [blob, file] : with_blobs) sum += file.bytes;
  return sum;
}

Status record_shares(db::Database& database, SnapshotId layer, const LayerShares& shares) {
  for (SnapshotId of : shares.made_twins_of) {
    INGOT_TRY(auto insertion, database.prepare("INSERT OR IGNORE INTO twin_owners (layer, owner) VALUES (?, ?)"));
    INGOT_CHECK(insertion.bind(1, of).bind(2, layer).run());
  }
  for (const auto& [source, bytes] : shares.with_layers) INGOT_CHECK(add_share(database, layer, source, bytes));
  for (const auto& [blob, file] : shares.with_blobs) INGOT_CHECK(add_blob_share(database, layer, blob, file));
  for (const auto& [of, bytes] : shares.with_twins_of) {
    INGOT_TRY(auto query, database.prepare("SELECT owner FROM twin_owners WHERE layer = ?"));
    INGOT_TRY(bool known, query.bind(1, of).step());
    const SnapshotId owner = known ? query.number(0) : 0;
    // Nobody counts them any more, or this layer made the first of them: then it does.
    if (known && owner != layer) {
      INGOT_CHECK(add_share(database, layer, owner, bytes));
      continue;
    }
    INGOT_TRY(auto update, database.prepare("UPDATE snapshots SET bytes = bytes + ? WHERE id = ?"));
    INGOT_CHECK(update.bind(1, static_cast<std::int64_t>(bytes)).bind(2, layer).run());
    INGOT_TRY(auto insertion, database.prepare("INSERT OR IGNORE INTO twin_owners (layer, owner) VALUES (?, ?)"));
    INGOT_CHECK(insertion.bind(1, of).bind(2, layer).run());
  }
  return {};
}

Result<bool> record_blob_share(db::Database& database, SnapshotId layer, const base::Digest& blob,
                               const SharedFile& file) {
  const auto bytes = static_cast<std::int64_t>(file.bytes);
  INGOT_TRY(auto query, database.prepare("SELECT 1 FROM snapshots WHERE id = ?1 AND bytes >= ?3 AND NOT EXISTS "
                                         "(SELECT 1 FROM blob_shares WHERE digest = ?2 AND layer = ?1)"));
  query.bind(1, layer).bind(2, blob.str()).bind(3, bytes);
  INGOT_TRY(bool is_own, query.step());
  if (!is_own) return false;
  INGOT_CHECK(query.run());
  INGOT_CHECK(add_blob_share(database, layer, blob.str(), file));
  INGOT_TRY(auto update, database.prepare("UPDATE snapshots SET bytes = bytes - ? WHERE id = ?"));
  INGOT_CHECK(update.bind(1, bytes).bind(2, layer).run());
  return true;
}

Status withdraw_blob_share(db::Database& database, SnapshotId layer, const base::Digest& blob) {
  INGOT_TRY(auto update,
            database.prepare("UPDATE snapshots SET bytes = bytes + coalesce((SELECT bytes FROM blob_shares "
                             "WHERE digest = ?2 AND layer = ?1), 0) WHERE id = ?1"));
  INGOT_CHECK(update.bind(1, layer).bind(2, blob.str()).run());
  INGOT_TRY(auto deletion, database.prepare("DELETE FROM blob_shares WHERE digest = ? AND layer = ?"));
  return deletion.bind(1, blob.str()).bind(2, layer).run();
}

Status forget_blob_share(db::Database& database, const base::Digest& blob) {
  std::vector<std::pair<SnapshotId, std::int64_t>> shares;
  INGOT_TRY(auto query, database.prepare("SELECT layer, bytes FROM blob_shares WHERE digest = ? ORDER BY layer"));
  query.bind(1, blob.str());
  while (true) {
    INGOT_TRY(bool more, query.step());
    if (!more) break;
    shares.emplace_back(query.number(0), query.number(1));
  }
  if (shares.empty()) return {};
  const auto& [first, bytes] = shares.front();
  INGOT_TRY(auto update, database.prepare("UPDATE snapshots SET bytes = bytes + ? WHERE id = ?"));
  INGOT_CHECK(update.bind(1, bytes).bind(2, first).run());
  for (std::size_t i = 1; i < shares.size(); ++i) {
    INGOT_CHECK(add_share(database, shares[i].first, first, static_cast<std::uint64_t>(shares[i].second)));
  }
  INGOT_TRY(auto deletion, database.prepare("DELETE FROM blob_shares WHERE digest = ?"));
  return deletion.bind(1, blob.str()).run();
}

Result<std::vector<InheritedFile>> inherited_files(db::Database& database, SnapshotId of, const LayerHasFile& has) {
  std::vector<InheritedFile> files;
  INGOT_CHECK(database.read([&]() -> Status {
    INGOT_TRY(auto query,
              database.prepare("WITH RECURSIVE holders (id) AS (SELECT ?1 UNION SELECT l.source FROM layer_shares l "
                               "JOIN holders h ON l.layer = h.id) SELECT DISTINCT s.layer, b.digest, b.bytes, b.inode "
                               "FROM layer_shares s JOIN blob_shares b ON b.layer IN holders WHERE s.source = ?1 "
                               "AND b.inode <> 0 AND s.bytes >= b.bytes AND NOT EXISTS (SELECT 1 FROM blob_shares o "
                               "WHERE o.digest = b.digest AND o.layer = s.layer)"));
    query.bind(1, of);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      files.push_back({query.number(0),
                       query.text(1),
                       {static_cast<std::uint64_t>(query.number(2)), static_cast<ino_t>(query.number(3))}});
    }
  }));
  std::erase_if(
      files, [&](const InheritedFile& file) { return !has(of, file.file.inode) || !has(file.layer, file.file.inode); });
  return files;
}

Status hand_over(db::Database& database, SnapshotId from, const std::vector<InheritedFile>& files) {
  for (const auto& [layer, digest, file] : files) {
    INGOT_TRY(auto update,
              database.prepare("UPDATE layer_shares SET bytes = bytes - ?3 WHERE layer = ?1 AND source = ?2 AND "
                               "bytes >= ?3 AND EXISTS (SELECT 1 FROM blob_shares WHERE digest = ?4) AND NOT EXISTS "
                               "(SELECT 1 FROM blob_shares WHERE digest = ?4 AND layer = ?1) RETURNING 1"));
    update.bind(1, layer).bind(2, from).bind(3, static_cast<std::int64_t>(file.bytes)).bind(4, digest);
    INGOT_TRY(bool was_there, update.step());
    INGOT_CHECK(update.run());
    if (was_there) INGOT_CHECK(add_blob_share(database, layer, digest, file));
  }
  // Who has nothing of it any more must not be the one who counts what others have of it.
  INGOT_TRY(auto deletion, database.prepare("DELETE FROM layer_shares WHERE source = ? AND bytes = 0"));
  return deletion.bind(1, from).run();
}

Result<SnapshotId> counted_at(db::Database& database, SnapshotId layer, const SharedFile& file,
                              const LayerHasFile& has) {
  std::set<SnapshotId> seen;  // it ends, whatever is written down
  while (seen.insert(layer).second) {
    std::vector<SnapshotId> sources;
    INGOT_CHECK(database.read([&]() -> Status {
      INGOT_TRY(auto query, database.prepare("SELECT source FROM layer_shares WHERE layer = ? AND bytes >= ?"));
      query.bind(1, layer).bind(2, static_cast<std::int64_t>(file.bytes));
      while (true) {
        INGOT_TRY(bool more, query.step());
        if (!more) return {};
        sources.push_back(query.number(0));
      }
    }));
    const auto holder =
        std::find_if(sources.begin(), sources.end(), [&](SnapshotId source) { return has(source, file.inode); });
    if (holder == sources.end()) break;
    layer = *holder;
  }
  return layer;
}

Status forget_shares_of_absent(db::Database& database, const BlobStore& blobs) {
  return database.transaction([&]() -> Status {
    std::vector<base::Digest> absent;
    INGOT_TRY(auto query, database.prepare("SELECT DISTINCT digest FROM blob_shares"));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) break;
      auto digest = base::Digest::parse(query.text(0));
      if (digest && !blobs.has(*digest)) absent.push_back(std::move(*digest));
    }
    for (const auto& digest : absent) INGOT_CHECK(forget_blob_share(database, digest));
    return {};
  });
}

}  // namespace ingot::store
