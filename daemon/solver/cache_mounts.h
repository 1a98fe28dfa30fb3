#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/graph/graph.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"

namespace ingot::solver {

namespace fs = std::filesystem;

// The directories of RUN --mount=type=cache and of CACHE: they outlive steps and jobs, and are in no layer.
// Thread-safe.
class CacheMounts {
 public:
  explicit CacheMounts(fs::path directory) : directory_(std::move(directory)) {}

  // A directory in use by one step; its end gives it back.
  struct Held {
    fs::path path;
    std::shared_ptr<void> until;
  };
  // `shared`: whoever wants it at once. `locked`: one after another, so this waits. `private`: one that nobody else
  // uses at this moment. Kind `canceled` when it was canceled while it waited.
  Result<Held> acquire(const graph::Mount& mount, const sys::CancelToken& cancel);

  // What they had on the disk when it was last measured. Measuring looks at every file, and does nothing when no step
  // had a directory since: for a thread that has time.
  std::uint64_t bytes() const { return bytes_; }
  void measure();

 private:
  fs::path place_of(const std::string& id, unsigned number) const;

  const fs::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<fs::path, int> users_;
  std::map<fs::path, bool> exclusive_;
  std::atomic<std::uint64_t> uses_ = 1;  // what an earlier daemon left is to be measured too
  std::atomic<std::uint64_t> measured_uses_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace ingot::solver
