#include "daemon/sandbox/network_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::sandbox {

namespace {

using base::fail;

// The smallest MTU of the host's interfaces but loopback: what fits the way out, whichever it is.
unsigned uplink_mtu() {
  unsigned smallest = 1500;
  std::error_code error;
  for (const auto& entry : sys::fs::directory_iterator("/sys/class/net", error)) {
    if (entry.path().filename() == "lo" || entry.path().filename().string().starts_with("ig")) continue;
    auto carrier = sys::read_file(entry.path() / "operstate");
    auto text = sys::read_file(entry.path() / "mtu");
    if (!carrier || !text || base::trim(*carrier) != "up") continue;
    const auto mtu = static_cast<unsigned>(std::strtoul(text->c_str(), nullptr, 10));
    if (mtu >= 576 && mtu < smallest) smallest = mtu;
  }
  return smallest;
}

}  // namespace

NetworkPool::NetworkPool(std::string instance, sys::fs::path scratch, sys::ProcessRunner& processes)
    : instance_(std::move(instance)), scratch_(std::move(scratch)), processes_(&processes) {}

NetworkPool::~NetworkPool() {
  std::lock_guard lock(mutex_);
  if (!prepared_) return;
  if (auto removed = run({"nft", "delete", "table", "inet", "ingot_" + instance_}); !removed) {
    base::log::warning("network: {}", removed.error().message);
  }
}

Status NetworkPool::run(const std::vector<std::string>& argv) const {
  sys::Command command;
  command.argv = argv;
  command.timeout = std::chrono::seconds(20);
  INGOT_TRY(auto captured, sys::capture(*processes_, command));
  if (captured.status.ok()) return {};
  return fail(ErrorKind::unsupported,
              fmt::format("`{}` ended with status {}: {}", base::join(argv, " "), captured.status.code,
                          base::printable(base::trim(captured.err))),
              "steps with network \"egress\" need root, iproute2 and nftables on the host; `none` and `host` do not");
}

Status NetworkPool::run_batch(const std::string& program, const std::string& lines) const {
  const auto file = scratch_ / ("batch-" + base::random_id(8));
  INGOT_TRY(auto fd, sys::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0600));
  INGOT_CHECK(sys::write_all(fd.get(), lines));
  Status done = program == "nft" ? run({"nft", "-f", file}) : run({"ip", "-batch", file});
  unlink(file.c_str());
  return done;
}

Status NetworkPool::make_table() {
  const std::string table = "inet ingot_" + instance_;
  const std::string ours = "\"ig" + instance_ + "*\"";
  // Declaring before deleting makes the deletion succeed whether or not a dead daemon left the table.
  return run_batch("nft", fmt::format(R"(table {0}
delete table {0}
table {0} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname {1} drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname {1} oifname {1} drop
    iifname {1} accept
    oifname {1} ct state established,related accept
    oifname {1} drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {2} oifname != {1} masquerade
  }}
}}
)",
                                      table, ours, subnet_.range()));
}

Status NetworkPool::prepare() {
  std::lock_guard lock(mutex_);
  if (prepared_) return {};
  subnet_ = pick_subnet(instance_, used_ranges());
  mtu_ = uplink_mtu();
  INGOT_CHECK(make_table());
  INGOT_TRY(auto forward, sys::open_file("/proc/sys/net/ipv4/ip_forward", O_WRONLY));
  INGOT_CHECK(sys::write_all(forward.get(), "1"));
  INGOT_TRY(auto first, make_slot(next_slot_));
  ++next_slot_;
  idle_.push_back(std::move(first));
  prepared_ = true;
  return {};
}

// Everything in the new namespace is done by a thread that lives in it; programs that it starts do too.
Result<sys::UniqueFd> NetworkPool::make_slot(unsigned number) {
  const std::string veth = fmt::format("ig{}{}", instance_, number);
  Result<sys::UniqueFd> made = fail(ErrorKind::internal, "no network namespace was made");
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      made = base::fail_errno(errno, "cannot make a network namespace");
      return;
    }
    made = sys::open_file(fmt::format("/proc/self/task/{}/ns/net", gettid()), O_RDONLY);
    if (!made) return;
    const std::string batch = fmt::format(
        "link set lo up\n"
        "link add eth0 mtu {0} type veth peer name {1} mtu {0} netns /proc/{2}/ns/net\n"
        "addr add {3}/30 dev eth0\nlink set eth0 up\nroute add default via {4}\n",
        mtu_, veth, getpid(), subnet_.step_address(number), subnet_.host_address(number));
    // The route needs the other end, which is not up yet: an interface without carrier takes routes all the same.
    if (auto done = run_batch("ip", batch); !done) made = fail(done.error());
  }).join();
  if (!made) return made;
  INGOT_CHECK(run_batch(
      "ip", fmt::format("addr add {}/30 dev {}\nlink set {} up\n", subnet_.host_address(number), veth, veth)));
  return made;
}

Result<NetworkPool::Lease> NetworkPool::acquire() {
  INGOT_CHECK(prepare());
  std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    if (next_slot_ >= Subnet::kSlots) return fail(ErrorKind::unavailable, "all step networks are in use");
    INGOT_TRY(auto slot, make_slot(next_slot_));
    ++next_slot_;
    idle_.push_back(std::move(slot));
  }
  Lease lease(this, std::move(idle_.back()));
  idle_.pop_back();
  return lease;
}

NetworkPool::Lease::~Lease() {
  if (pool_ == nullptr) return;
  std::lock_guard lock(pool_->mutex_);
  pool_->idle_.push_back(std::move(fd_));
}

std::string NetworkPool::Lease::path() const {
  return fmt::format("/proc/{}/fd/{}", getpid(), fd_.get());
}

}  // namespace ingot::sandbox
