#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/db/database.h"
#include "daemon/sys/files.h"

namespace ingot::store {

// Writes new layers to the disk behind the builds' backs, and notes that they are there. A layer that a power cut took
// is known by its note: it is of another boot, and goes with all that stands on it. A daemon that is killed loses
// nothing: what it wrote is the kernel's.
class SnapshotSync {
 public:
  SnapshotSync(sys::fs::path directory, db::Database& database, std::string boot);
  ~SnapshotSync();
  SnapshotSync(const SnapshotSync&) = delete;
  SnapshotSync& operator=(const SnapshotSync&) = delete;

  const std::string& boot() const { return boot_; }
  void wake();
  // All that is known is on the disk when it returns.
  Status sync_now();

 private:
  void run();
  Status sync_pending();

  const sys::fs::path directory_;
  db::Database& database_;
  const std::string boot_;
  std::mutex syncing_;
  std::mutex mutex_;  // guards the next two
  std::condition_variable changed_;
  bool pending_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ingot::store
