#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "daemon/sys/files.h"
#include "proto/secrets.h"

namespace ingot::jobs {

namespace fs = std::filesystem;

// The secrets of jobs that have not ended: a file for each job, which only root reads, on a file system in memory that
// is the host's and not the daemon's own, so that they outlive a daemon that dies, and no host that does. Thread-safe.
class SecretVault {
 public:
  // `directory` is made with the first secret, and removed with the last.
  explicit SecretVault(fs::path directory) : directory_(std::move(directory)) {}

  // Kind `unsupported` when the directory is on a disk.
  Status put(const std::string& job, const proto::Secrets& secrets);
  // Kind `not_found` when the host was restarted meanwhile.
  Result<proto::Secrets> get(const std::string& job) const;
  void remove(const std::string& job);
  // Removes what no living job needs.
  void keep_only(const std::function<bool(const std::string& job)>& is_alive);

  // A place for `instance` (one name a state directory): below `wanted`; with "auto", below the first in memory of
  // /run/ingot/secrets and /dev/shm/ingot-secrets.
  static fs::path place_for(const std::string& wanted, const std::string& instance);

 private:
  Status prepare() const;
  Status write(const std::string& job, const std::string& text) const;
  void remove_when_empty() const;

  const fs::path directory_;
  mutable std::mutex mutex_;
};

}  // namespace ingot::jobs
