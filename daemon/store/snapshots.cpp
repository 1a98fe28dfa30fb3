#include "daemon/store/snapshots.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/store/tree_sync.h"

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

SnapshotStore::SnapshotStore(fs::path directory, db::Database& database, std::shared_ptr<Trash> trash)
    : directory_(std::move(directory)), database_(&database), trash_(std::move(trash)) {}

Result<SnapshotStore> SnapshotStore::open(const fs::path& directory, db::Database& database) {
  INGOT_CHECK(sys::make_directories(directory, 0711));
  INGOT_CHECK(sys::make_directories(directory / "pending", 0700));
  INGOT_TRY(auto trash, Trash::open(directory / "trash"));
  for (const auto& left : entries_of(directory / "pending")) {
    if (auto taken = trash->take(left); !taken) base::log::warning("{}", taken.error().message);
  }
  return SnapshotStore(directory, database, std::move(trash));
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

Result<SnapshotId> SnapshotStore::commit(PendingSnapshot pending) {
  INGOT_CHECK(sync_tree(pending.upper()));
  SnapshotId id = 0;
  // The rename is inside of the transaction: rolled back it leaves a directory without a row, which the next start
  // removes; committed, both are durable.
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto insertion, database_->prepare("INSERT INTO snapshots (parent, created_ms) VALUES (?, ?) "
                                                 "RETURNING id"));
    if (pending.parent)
      insertion.bind(1, *pending.parent);
    else
      insertion.bind_null(1);
    insertion.bind(2, base::system_clock().unix_ms());
    INGOT_CHECK(insertion.step());
    id = insertion.number(0);
    INGOT_CHECK(insertion.run());
    return put_in_place(pending.upper(), id);
  }));
  return id;
}

Status SnapshotStore::put_in_place(const fs::path& upper, SnapshotId id) const {
  const fs::path place = directory_ / std::to_string(id);
  // An earlier commit that failed after its rename gave its number back.
  INGOT_CHECK(trash_->take(place));
  if (rename(upper.c_str(), place.c_str()) != 0) return fail_errno(errno, "cannot keep snapshot " + place.string());
  return sys::sync_directory(directory_);
}

Result<std::vector<fs::path>> SnapshotStore::layers(SnapshotId id) const {
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

Status SnapshotStore::remove(SnapshotId id) {
  auto deleted = database_->transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_->prepare("DELETE FROM snapshots WHERE id = ?"));
    return deletion.bind(1, id).run();
  });
  if (!deleted && deleted.error().kind == ErrorKind::conflict) {
    return fail(ErrorKind::conflict, fmt::format("snapshot {} is in use: an image or another snapshot needs it", id));
  }
  INGOT_CHECK(deleted);
  return trash_->take(directory_ / std::to_string(id));
}

Result<std::vector<SnapshotId>> SnapshotStore::unreferenced() const {
  std::vector<SnapshotId> found;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare(
                              "WITH RECURSIVE used (id) AS (SELECT snapshot FROM images UNION "
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
      INGOT_TRY(auto deletion, database_->prepare("DELETE FROM snapshots WHERE id = ?"));
      INGOT_CHECK(deletion.bind(1, id).run());
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
