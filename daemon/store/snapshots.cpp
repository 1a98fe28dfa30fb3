#include "daemon/store/snapshots.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/store/tree_digest.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  return entries;
}

// The root directory of an overlay looks like that of its topmost layer: a new layer's must look like its parent's.
Status copy_root_attributes(const fs::path& parent, const fs::path& upper) {
  struct stat status {};
  if (stat(parent.c_str(), &status) != 0) return fail_errno(errno, "cannot look at " + parent.string());
  if (geteuid() == 0 && chown(upper.c_str(), status.st_uid, status.st_gid) != 0) {
    return fail_errno(errno, "cannot set the owner of " + upper.string());
  }
  if (chmod(upper.c_str(), status.st_mode & 07777U) != 0) {
    return fail_errno(errno, "cannot set the mode of " + upper.string());
  }
  return {};
}

}  // namespace

PendingDirectory::PendingDirectory(PendingDirectory&& other) noexcept
    : path_(std::move(other.path_)), trash_(std::move(other.trash_)) {
  other.path_.clear();
}

PendingDirectory& PendingDirectory::operator=(PendingDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(trash_, other.trash_);
  return *this;
}

PendingDirectory::~PendingDirectory() {
  if (path_.empty()) return;
  std::error_code error;
  // Committed, there are two or three empty directories left.
  const bool committed = !fs::exists(path_ / "fs", error);
  auto gone = committed ? sys::remove_tree(path_) : trash_->take(path_);
  if (!gone) base::log::warning("{}", gone.error().message);
}

SnapshotStore::SnapshotStore(fs::path directory, db::Database& database, std::shared_ptr<Trash> trash,
                             std::unique_ptr<JoinedLayers> joined, FileTwins twins, const std::string& boot)
    : directory_(std::move(directory)),
      database_(&database),
      trash_(std::move(trash)),
      joined_(std::move(joined)),
      twins_(std::move(twins)),
      sync_(std::make_unique<SnapshotSync>(directory_, database, boot)) {}

Result<SnapshotStore> SnapshotStore::open(const fs::path& directory, db::Database& database, const std::string& boot) {
  // Layers have programs that run as root for whoever can reach them.
  INGOT_CHECK(sys::make_directories(directory, 0700));
  if (chmod(directory.c_str(), 0700) != 0)
    return fail_errno(errno, "cannot close " + directory.string() + " to others");
  INGOT_CHECK(sys::make_directories(directory / "pending", 0700));
  INGOT_TRY(auto opened, Trash::open(directory / "trash"));
  const std::shared_ptr<Trash> trash = std::move(opened);
  for (const auto& left : entries_of(directory / "pending")) {
    if (auto taken = trash->take(left); !taken) base::log::warning("{}", taken.error().message);
  }
  INGOT_TRY(auto joined, JoinedLayers::open(directory / "joined", trash));
  INGOT_TRY(auto twins, FileTwins::open(directory / "twins", boot));
  SnapshotStore store(directory, database, trash, std::move(joined), std::move(twins), boot);
  INGOT_CHECK(store.forget_lost(boot));
  store.sync_->wake();
  return store;
}

// Rows of layers that an earlier boot may not have written, with all that stands on them. Their directories have no row
// any more, and go with the other unreferenced ones.
Status SnapshotStore::forget_lost(const std::string& boot) const {
  static const std::string kFind =
      "CREATE TEMP TABLE lost AS WITH RECURSIVE lost (id) AS (SELECT id FROM snapshots WHERE unsynced_boot <> ?1 "
      "UNION SELECT s.id FROM snapshots s JOIN lost l ON s.parent = l.id) SELECT id FROM lost";
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto find, database_->prepare(kFind));
    INGOT_CHECK(find.bind(1, boot).run());
    for (const char* statement : {"DELETE FROM images WHERE snapshot IN (SELECT id FROM lost)",
                                  "UPDATE snapshots SET parent = NULL WHERE id IN (SELECT id FROM lost)",
                                  "DELETE FROM snapshots WHERE id IN (SELECT id FROM lost)", "DROP TABLE lost"}) {
      INGOT_TRY(auto prepared, database_->prepare(statement));
      INGOT_CHECK(prepared.run());
    }
    return {};
  });
}

Result<PendingSnapshot> SnapshotStore::begin(std::optional<SnapshotId> parent) {
  std::string place = (directory_ / "pending" / "XXXXXX").string();
  if (mkdtemp(place.data()) == nullptr) return fail_errno(errno, "cannot make a layer in " + directory_.string());
  PendingSnapshot pending{PendingDirectory(place, trash_), parent};
  INGOT_CHECK(sys::make_directories(pending.upper(), 0755));
  INGOT_CHECK(sys::make_directories(pending.work(), 0700));
  if (parent) INGOT_CHECK(copy_root_attributes(directory_ / std::to_string(*parent), pending.upper()));
  return pending;
}

Result<Lease> SnapshotStore::commit(PendingSnapshot pending, const std::function<Status(SnapshotId)>& also) {
  INGOT_TRY(auto size, tree_size(pending.upper()));
  const std::int64_t now = base::system_clock().unix_ms();
  Lease lease;
  auto lock = leases_->lock();  // before the database's, as everywhere
  SnapshotId given = 0;
  // The rename is inside of the transaction: rolled back it leaves a directory without a row. A daemon that dies just
  // then leaves one too, which the next start removes.
  auto committed = database_->transaction([&]() -> Status {
    INGOT_TRY(auto insertion,
              database_->prepare("INSERT INTO snapshots (parent, created_ms, used_ms, bytes, entries, unsynced_boot) "
                                 "VALUES (?, ?, ?, ?, ?, ?) RETURNING id"));
    if (pending.parent)
      insertion.bind(1, *pending.parent);
    else
      insertion.bind_null(1);
    const std::uint64_t shared = std::min(size.bytes, pending.shares.bytes());
    insertion.bind(2, now).bind(3, now).bind(4, static_cast<std::int64_t>(size.bytes - shared));
    insertion.bind(5, static_cast<std::int64_t>(size.entries)).bind(6, sync_->boot());
    INGOT_CHECK(insertion.step());
    const SnapshotId id = insertion.number(0);
    INGOT_CHECK(insertion.run());
    INGOT_CHECK(record_shares(*database_, id, pending.shares));
    if (also) INGOT_CHECK(also(id));
    lease = leases_->take(id);
    INGOT_CHECK(put_in_place(pending.upper(), id));
    given = id;
    return {};
  });
  if (!committed) {
    if (given != 0) (void)trash_->take(directory_ / std::to_string(given));
    return fail(committed.error());
  }
  sync_->wake();
  return lease;
}

// The layer that counts it. A long chain is mounted by runs of layers that were joined, of which only the last is
// named.
Result<SnapshotId> SnapshotStore::holder_of(SnapshotId id, const SharedFile& file) const {
  if (!layer_has(id, file.inode)) {
    INGOT_TRY(const auto stack, own_layers(id));
    const auto has = [&](const fs::path& layer) { return finder_->has(layer, file.inode); };
    const auto found = std::find_if(stack.rbegin(), stack.rend(), has);
    if (found != stack.rend()) id = std::stoll(found->filename());
  }
  if (!file.has_other_names) return id;
  return counted_at(*database_, id, file, [this](SnapshotId layer, ino_t inode) { return layer_has(layer, inode); });
}

CountsAsBlob SnapshotStore::counts_as_blob(const std::string& layer, const base::Digest& digest,
                                           const SharedFile& file) {
  const auto holder = std::make_shared<SnapshotId>(std::stoll(layer));
  CountsAsBlob counts;
  counts.begins = [this, holder, id = *holder, digest, file]() -> Result<bool> {
    bool counted = false;
    // Once more, should it have been collected between the look and the change.
    for (int i = 0; i < 2 && !counted; ++i) {
      INGOT_TRY(*holder, holder_of(id, file));
      INGOT_CHECK(database_->transaction([&]() -> Status {
        INGOT_TRY(counted, record_blob_share(*database_, *holder, digest, file));
        return {};
      }));
    }
    return counted;
  };
  counts.ends = [this, holder, digest] {
    return database_->transaction([&] { return withdraw_blob_share(*database_, *holder, digest); });
  };
  return counts;
}

void SnapshotStore::reclaim_now() {
  trash_->empty_now();
  twins_.remove_unused();
}

Result<std::optional<Lease>> SnapshotStore::lease(const std::function<Result<std::optional<SnapshotId>>()>& find) {
  auto lock = leases_->lock();
  INGOT_TRY(auto id, find());
  if (!id) return std::optional<Lease>();
  return std::optional<Lease>(leases_->take(*id));
}

Status SnapshotStore::put_in_place(const fs::path& upper, SnapshotId id) const {
  const fs::path place = directory_ / std::to_string(id);
  // An earlier commit that failed after its rename gave its number back.
  INGOT_CHECK(trash_->take(place));
  if (rename(upper.c_str(), place.c_str()) != 0) return fail_errno(errno, "cannot keep snapshot " + place.string());
  return {};
}

Result<std::int64_t> SnapshotStore::created_ms(SnapshotId id) const {
  std::int64_t created = 0;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare("SELECT created_ms FROM snapshots WHERE id = ?"));
    INGOT_TRY(bool found, query.bind(1, id).step());
    if (!found) return fail(ErrorKind::not_found, "there is no snapshot " + std::to_string(id));
    created = query.number(0);
    return {};
  }));
  return created;
}

Result<std::uint64_t> SnapshotStore::layer_bytes(SnapshotId id) const {
  INGOT_TRY(auto layers, chain(id));  // the top first
  return layers.empty() ? 0 : layers.front().bytes;
}

Result<std::uint64_t> SnapshotStore::chain_bytes(SnapshotId id) const {
  INGOT_TRY(auto layers, chain(id));
  std::uint64_t bytes = 0;
  for (const auto& layer : layers) bytes += layer.bytes;
  return bytes;
}

bool SnapshotStore::is_there(SnapshotId id) const {
  return access((directory_ / std::to_string(id)).c_str(), F_OK) == 0;
}

Result<std::vector<fs::path>> SnapshotStore::layers(SnapshotId id) const {
  INGOT_TRY(auto layers, own_layers(id));
  return joined_->shorten(layers);
}

Result<std::vector<SnapshotStore::ImageLayer>> SnapshotStore::image_layers(SnapshotId id, SnapshotId base,
                                                                           std::size_t most) const {
  INGOT_TRY(auto layers, own_layers(id));
  std::vector<SnapshotId> ids;
  ids.reserve(layers.size());
  for (const auto& layer : layers) ids.push_back(std::stoll(layer.filename()));
  const auto above = std::upper_bound(ids.begin(), ids.end(), base);
  std::vector<ImageLayer> found;
  for (auto& piece : joined_->shorten_above(layers, static_cast<std::size_t>(above - ids.begin()), most)) {
    found.push_back({std::move(piece.path), ids[piece.first], ids[piece.last]});
  }
  return found;
}

// Of a snapshot and all that it stands on, bottom first.
Result<std::vector<fs::path>> SnapshotStore::own_layers(SnapshotId id) const {
  std::vector<fs::path> layers;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("WITH RECURSIVE chain (id, parent) AS (SELECT id, parent FROM snapshots WHERE id = ? "
                                 "UNION ALL SELECT s.id, s.parent FROM snapshots s JOIN chain c ON s.id = c.parent) "
                                 "SELECT id FROM chain ORDER BY id"));
    query.bind(1, id);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) break;
      layers.push_back(directory_ / query.text(0));
    }
    return {};
  }));
  if (layers.empty()) return fail(ErrorKind::not_found, "there is no snapshot " + std::to_string(id));
  for (const auto& layer : layers) {
    if (access(layer.c_str(), F_OK) == 0) continue;
    return fail(ErrorKind::not_found, fmt::format("snapshot {} is gone from {}", id, layer.string()),
                "something else than ingotd removed it; run the job again");
  }
  return layers;
}

Result<std::vector<InheritedFile>> SnapshotStore::inherited_from(SnapshotId id) const {
  return inherited_files(*database_, id, [this](SnapshotId layer, ino_t inode) { return layer_has(layer, inode); });
}

Status SnapshotStore::delete_row(SnapshotId id, const std::vector<InheritedFile>& inherited) const {
  INGOT_CHECK(hand_over(*database_, id, inherited));
  INGOT_TRY(auto deletion, database_->prepare("DELETE FROM snapshots WHERE id = ?"));
  return deletion.bind(1, id).run();
}

Status SnapshotStore::remove(SnapshotId id) {
  const auto check_is_free = [&]() -> Status {
    if (!leases_->held(id)) return {};
    return fail(ErrorKind::conflict, fmt::format("snapshot {} is in use by a build", id));
  };
  {
    auto lock = leases_->lock();
    INGOT_CHECK(check_is_free());
  }
  INGOT_TRY(const auto inherited, inherited_from(id));
  auto lock = leases_->lock();
  INGOT_CHECK(check_is_free());
  auto deleted = database_->transaction([&] { return delete_row(id, inherited); });
  if (!deleted && deleted.error().kind == ErrorKind::conflict) {
    return fail(ErrorKind::conflict, fmt::format("snapshot {} is in use: an image or another snapshot needs it", id));
  }
  INGOT_CHECK(deleted);
  INGOT_CHECK(joined_->forget(directory_ / std::to_string(id)));
  return trash_->take(directory_ / std::to_string(id));
}

Result<bool> SnapshotStore::forget_image(SnapshotId id) {
  auto lock = leases_->lock();
  if (leases_->held(id)) return false;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_->prepare("DELETE FROM images WHERE snapshot = ?"));
    return deletion.bind(1, id).run();
  }));
  return true;
}

Status SnapshotStore::touch(const std::vector<SnapshotId>& ids) {
  constexpr std::int64_t kOften = 60'000;  // a build that runs again and again writes nothing
  const std::int64_t now = base::system_clock().unix_ms();
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto update, database_->prepare("UPDATE snapshots SET used_ms = ? WHERE id = ? AND used_ms < ?"));
    for (SnapshotId id : ids) {
      INGOT_CHECK(update.bind(1, now).bind(2, id).bind(3, now - kOften).run());
    }
    return {};
  });
}

Result<std::vector<SnapshotId>> SnapshotStore::unreferenced() const {
  std::vector<SnapshotId> found;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare(
                  "WITH RECURSIVE used (id) AS (SELECT snapshot FROM images UNION SELECT snapshot FROM steps UNION "
                  "SELECT s.parent FROM snapshots s JOIN used u ON s.id = u.id WHERE s.parent IS NOT NULL) "
                  "SELECT id FROM snapshots WHERE id NOT IN (SELECT id FROM used) ORDER BY id DESC"));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      found.push_back(query.number(0));
    }
  }));
  return found;
}

Status SnapshotStore::remove_unreferenced() {
  INGOT_TRY(auto unneeded, unreferenced());
  std::set<std::string> kept;
  // Children come before their parents. All in one transaction, since each waits for the disk.
  INGOT_CHECK(database_->transaction([&]() -> Status {
    for (SnapshotId id : unneeded) {
      INGOT_TRY(const auto inherited, inherited_from(id));
      INGOT_CHECK(delete_row(id, inherited));
    }
    INGOT_TRY(auto query, database_->prepare("SELECT id FROM snapshots"));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      kept.insert(query.text(0));
    }
  }));
  for (const auto& entry : entries_of(directory_)) {
    const std::string name = entry.filename();
    const bool is_id = name.find_first_not_of("0123456789") == std::string::npos;
    if (is_id && !kept.contains(name)) INGOT_CHECK(trash_->take(entry));
  }
  return {};
}

}  // namespace ingot::store
