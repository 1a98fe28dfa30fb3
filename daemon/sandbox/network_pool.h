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
  NetworkPool(std::string instance, sys::ProcessRunner& processes);
  ~NetworkPool();  // removes the table

 private:
  struct Slot {
    unsigned number = 0;
    sys::UniqueFd network;
  };

 public:
  class Lease {
   public:
    Lease(Lease&& other) noexcept : pool_(other.pool_), slot_(std::move(other.slot_)) { other.pool_ = nullptr; }
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    std::string path() const;  // usable by children of this process while the lease lives

   private:
    friend class NetworkPool;
    Lease(NetworkPool* pool, Slot slot) : pool_(pool), slot_(std::move(slot)) {}
    NetworkPool* pool_;
    Slot slot_;
  };

  // Makes the table, or makes it again if it is gone. Kind `unsupported` with the cure.
  Status prepare();
  // Makes namespaces until there are `wanted`, so that as many steps at once need not wait for theirs.
  Status prepare_ahead(unsigned wanted, const sys::CancelToken& cancel);
  Result<Lease> acquire();

 private:
  Status prepare_locked();
  Status ensure_firewall() const;
  Status remove_old_links() const;
  Result<Slot> new_slot();  // without the lock, but for the choice of its number
  Result<sys::UniqueFd> make_namespace(unsigned number) const;
  Status run(const std::vector<std::string>& argv) const;
  Status run_batch(const std::string& program, const std::string& lines) const;
  std::string link_name(unsigned number) const;

  std::string instance_;
  sys::ProcessRunner* processes_;

  std::mutex mutex_;  // guards all below; subnet_ and mtu_ do not change once prepared_ is set
  bool has_table_ = false;
  bool prepared_ = false;
  Subnet subnet_;
  unsigned mtu_ = 1500;
  unsigned next_number_ = 0;
  std::vector<unsigned> returned_numbers_;  // of namespaces that could not be made
  std::vector<Slot> idle_;
};

}  // namespace ingot::sandbox
