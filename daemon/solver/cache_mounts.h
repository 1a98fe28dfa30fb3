#pragma once

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

 private:
  fs::path place_of(const std::string& id, unsigned number) const;

  const fs::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<fs::path, int> users_;
  std::map<fs::path, bool> exclusive_;
};

}  // namespace ingot::solver
