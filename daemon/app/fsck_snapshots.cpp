#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "daemon/app/fsck_parts.h"
#include "daemon/base/strings.h"
#include "daemon/store/tree_digest.h"
#include "daemon/sys/files.h"
#include "daemon/sys/rooted.h"

namespace ingot::app {

namespace {

struct Row {
  std::string id;
  std::string parent;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::string layer_digest;
  std::uint64_t shared_bytes = 0;
};

// A file system may count some blocks of its own later than the file's.
bool is_near(std::uint64_t recorded, std::uint64_t found) {
  const std::uint64_t difference = recorded > found ? recorded - found : found - recorded;
  return difference <= (64U << 10) + found / 64;
}

// Why the layer cannot be relied on; "": it can.
Result<std::string> damage(const FsckRun& run, const Row& row, const fs::path& place) {
  std::error_code error;
  if (!fs::is_directory(place, error)) return std::string("its directory is not there");
  if (run.depth != FsckDepth::full || row.layer_digest.empty()) return std::string();
  INGOT_TRY(auto root, sys::RootedDir::open(place));
  INGOT_TRY(auto digest, store::tree_digest(root, {"/"}, {}));
  return digest.str() == row.layer_digest ? std::string() : std::string("its files are not those that were kept");
}

Status mend_size(FsckRun& run, const Row& row, const fs::path& place) {
  INGOT_TRY(auto size, store::tree_size(place));
  size.bytes -= std::min(size.bytes, row.shared_bytes);  // counted elsewhere
  if (is_near(row.bytes, size.bytes) && row.entries == size.entries) return {};
  INGOT_CHECK(
      run.change("UPDATE snapshots SET bytes = CAST(? AS INTEGER), entries = CAST(? AS INTEGER) WHERE id = "
                 "CAST(? AS INTEGER)",
                 {std::to_string(size.bytes), std::to_string(size.entries), row.id}));
  run.mended(fmt::format("snapshot {} has {} in {} entries, and was counted as {} in {}: corrected", row.id,
                         base::human_bytes(size.bytes), size.entries, base::human_bytes(row.bytes), row.entries));
  return {};
}

// With what is known to stand on it: steps, images and layers of images go with their snapshots.
Status forget(const FsckRun& run, const std::set<std::string>& lost) {
  return run.database.transaction([&]() -> Status {
    // Children have greater numbers than their parents.
    std::vector<std::int64_t> ids;
    ids.reserve(lost.size());
    for (const auto& id : lost) ids.push_back(std::stoll(id));
    std::sort(ids.rbegin(), ids.rend());
    for (const std::int64_t id : ids) {
      for (const char* statement : {"DELETE FROM images WHERE snapshot = ?", "DELETE FROM snapshots WHERE id = ?"}) {
        INGOT_TRY(auto deletion, run.database.prepare(statement));
        INGOT_CHECK(deletion.bind(1, id).run());
      }
    }
    return {};
  });
}

}  // namespace

Status check_snapshots(FsckRun& run) {
  const fs::path directory = run.state / "snapshots";
  INGOT_TRY(auto rows, run.rows("SELECT id, parent, bytes, entries, layer_digest, "
                                "(SELECT coalesce(sum(bytes), 0) FROM layer_shares WHERE layer = id) + "
                                "(SELECT coalesce(sum(bytes), 0) FROM blob_shares WHERE layer = id) "
                                "FROM snapshots ORDER BY id",
                                6));
  std::set<std::string> kept;
  std::set<std::string> lost;
  for (const auto& columns : rows) {  // parents first
    const Row row{
        columns[0], columns[1], std::stoull(columns[2]), std::stoull(columns[3]), columns[4], std::stoull(columns[5])};
    const fs::path place = directory / row.id;
    INGOT_TRY(std::string why, damage(run, row, place));
    if (why.empty() && lost.contains(row.parent)) why = "it stands on snapshot " + row.parent;
    if (!why.empty()) {
      lost.insert(row.id);
      run.mended(fmt::format("snapshot {} is lost, {}: forgotten, and made again when it is wanted", row.id, why));
      continue;
    }
    kept.insert(row.id);
    INGOT_CHECK(mend_size(run, row, place));
  }
  if (!lost.empty()) INGOT_CHECK(forget(run, lost));
  for (const auto& entry : fsck_entries(directory)) {
    const std::string name = entry.filename();
    const bool is_id = name.find_first_not_of("0123456789") == std::string::npos;
    if (!is_id || kept.contains(name)) continue;
    auto removed = sys::remove_tree(entry);
    if (!removed)
      run.left(fmt::format("directory {} is no snapshot's: {}", entry.string(), removed.error().message));
    else if (!lost.contains(name))
      run.mended(fmt::format("directory {} is no snapshot's: removed", entry.string()));
  }
  return {};
}

}  // namespace ingot::app
