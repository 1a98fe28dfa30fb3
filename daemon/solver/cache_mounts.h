#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/graph/graph.h"
#include "daemon/store/collectable.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"

namespace ingot::solver {

namespace fs = std::filesystem;

// The directories of RUN --mount=type=cache and of CACHE: they outlive steps and jobs, and are in no layer. Beside each
// lies an empty file whose time is that of its last use. Thread-safe.
class CacheMounts : public store::Collectable {
 public:
  explicit CacheMounts(fs::path directory, const base::Clock& clock = base::system_clock())
      : directory_(std::move(directory)), clock_(clock) {}

  // A directory in use by one step; its end gives it back.
  struct Held {
    fs::path path;
    std::shared_ptr<void> until;
  };
  // `shared`: whoever wants it at once. `locked`: one after another, so this waits. `private`: one that nobody else
  // uses at this moment. Kind `canceled` when it was canceled while it waited.
  Result<Held> acquire(const graph::Mount& mount, const sys::CancelToken& cancel);

  // What they had on the disk when they were last measured. Measuring looks at every file of those that a step had
  // since, and at no other: for a thread that has time.
  std::uint64_t bytes() const override { return bytes_; }
  void measure();
  std::uint64_t count() const;

  std::vector<Thing> unused() override;
  Result<bool> remove(const std::string& name) override;

 private:
  struct Directory {
    bool there = false;
    int users = 0;
    bool exclusive = false;
    std::int64_t used_ms = 0;
    std::uint64_t changes = 1;  // what an earlier daemon left is to be measured too
    std::uint64_t measured = 0;
    std::uint64_t bytes = 0;
  };
  // All of these under the lock.
  void look_around();
  Status make(const std::string& name, const graph::Mount& mount);
  void note_use(const std::string& name);
  void release(const std::string& name);
  fs::path stamp_of(const std::string& name) const { return directory_ / (name + ".used"); }

  const fs::path directory_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below but the sum
  std::condition_variable changed_;
  bool looked_around_ = false;
  std::uint64_t removed_ = 0;
  std::map<std::string, Directory> known_;  // by name
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace ingot::solver
