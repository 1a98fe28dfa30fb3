#include "daemon/store/snapshot_sync.h"

#include <chrono>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/store/tree_sync.h"

namespace ingot::store {

SnapshotSync::SnapshotSync(sys::fs::path directory, db::Database& database, std::string boot)
    : directory_(std::move(directory)), database_(database), boot_(std::move(boot)), thread_([this] { run(); }) {}

SnapshotSync::~SnapshotSync() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SnapshotSync::wake() {
  {
    std::lock_guard lock(mutex_);
    pending_ = true;
  }
  changed_.notify_all();
}

void SnapshotSync::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return pending_ || stopping_; });
    // A build makes layer after layer, and often removes what it wrote a moment ago: let it.
    constexpr std::chrono::seconds kQuiet(2);
    if (changed_.wait_for(lock, kQuiet, [this] { return stopping_; })) return;
    pending_ = false;
    lock.unlock();
    if (auto synced = sync_pending(); !synced) base::log::warning("snapshots: {}", synced.error().message);
    lock.lock();
  }
}

Status SnapshotSync::sync_now() {
  return sync_pending();
}

Status SnapshotSync::sync_pending() {
  std::lock_guard one_at_a_time(syncing_);
  std::vector<std::int64_t> ids;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT id FROM snapshots WHERE unsynced_boot IS NOT NULL ORDER BY id"));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      ids.push_back(query.number(0));
    }
  }));
  if (ids.empty()) return {};
  for (auto id : ids) {
    const auto layer = directory_ / std::to_string(id);
    std::error_code gone;
    if (sys::fs::exists(layer, gone)) INGOT_CHECK(sync_tree(layer));
  }
  INGOT_CHECK(sys::sync_directory(directory_));
  return database_.transaction([&]() -> Status {
    for (auto id : ids) {
      INGOT_TRY(auto update, database_.prepare("UPDATE snapshots SET unsynced_boot = NULL WHERE id = ?"));
      INGOT_CHECK(update.bind(1, id).run());
    }
    return {};
  });
}

}  // namespace ingot::store
