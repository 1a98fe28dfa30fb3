#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/sandbox/subnet.h"
#include "daemon/sys/files.h"
#include "daemon/sys/process.h"

namespace ingot::sandbox {

// Network namespaces for steps with policy `egress`: each is joined to the host by a veth pair, and an nftables table
// lets it out by masquerading, and to nothing of the host itself or of other steps. They are made ahead and used again:
// a step without privileges can change nothing in one, and all its processes are gone before the next step comes.
// A namespace lives by our descriptor alone, so a daemon that dies takes namespaces and veths with it; its table is
// replaced at the next start. Thread-safe.
class NetworkPool {
 public:
  NetworkPool(std::string instance, sys::fs::path scratch, sys::ProcessRunner& processes);
  ~NetworkPool();  // removes the table

  class Lease {
   public:
    Lease(Lease&& other) noexcept : pool_(other.pool_), fd_(std::move(other.fd_)) { other.pool_ = nullptr; }
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    std::string path() const;  // usable by children of this process while the lease lives

   private:
    friend class NetworkPool;
    Lease(NetworkPool* pool, sys::UniqueFd fd) : pool_(pool), fd_(std::move(fd)) {}
    NetworkPool* pool_;
    sys::UniqueFd fd_;
  };

  // Makes the table and a first namespace; again only after a failure. Kind `unsupported` with the cure.
  Status prepare();
  Result<Lease> acquire();

 private:
  Result<sys::UniqueFd> make_slot(unsigned number);
  Status run(const std::vector<std::string>& argv) const;
  Status run_batch(const std::string& program, const std::string& lines) const;
  Status make_table();

  std::string instance_;
  sys::fs::path scratch_;
  sys::ProcessRunner* processes_;

  std::mutex mutex_;  // guards all below
  bool prepared_ = false;
  Subnet subnet_;
  unsigned mtu_ = 1500;
  unsigned next_slot_ = 0;
  std::vector<sys::UniqueFd> idle_;
};

}  // namespace ingot::sandbox
