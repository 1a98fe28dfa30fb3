#include "daemon/sandbox/network_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sandbox/firewall.h"

namespace ingot::sandbox {

using base::fail;

namespace {

constexpr const char* kCure =
    "steps with network \"egress\" need root, iproute2 and nftables on the host; `none` and `host` do not";

std::vector<std::string> links_named(const std::string& prefix) {
  std::vector<std::string> found;
  struct if_nameindex* list = if_nameindex();
  if (list == nullptr) return found;
  for (const struct if_nameindex* entry = list; entry->if_index != 0; ++entry) {
    const std::string name = entry->if_name;
    const auto digits = name.substr(std::min(prefix.size(), name.size()));
    const bool ours = name.starts_with(prefix) && digits.find_first_not_of("0123456789") == std::string::npos;
    if (ours) found.push_back(name);
  }
  if_freenameindex(list);
  return found;
}

Status enable_forwarding() {
  const char* path = "/proc/sys/net/ipv4/ip_forward";
  // Writing it resets other settings of the interfaces, so only where it must be.
  if (auto now = sys::read_file(path); now && base::trim(*now) == "1") return {};
  auto forward = sys::open_file(path, O_WRONLY);
  auto done = forward ? sys::write_all(forward->get(), "1") : fail(forward.error());
  if (done) return {};
  return fail(ErrorKind::unsupported, "cannot let the host forward packets of steps: " + done.error().message,
              "set the sysctl net.ipv4.ip_forward to 1");
}

}  // namespace

NetworkPool::NetworkPool(std::string instance, sys::ProcessRunner& processes)
    : instance_(std::move(instance)), processes_(&processes) {}

NetworkPool::~NetworkPool() {
  std::lock_guard lock(mutex_);
  if (!has_table_) return;
  if (auto removed = run({"nft", "delete", "table", "inet", firewall_table(instance_)}); !removed) {
    base::log::warning("network: {}", removed.error().message);
  }
}

std::string NetworkPool::link_name(unsigned number) const {
  return fmt::format("ig{}{}", instance_, number);
}

Status NetworkPool::run(const std::vector<std::string>& argv) const {
  sys::Command command;
  command.argv = argv;
  command.timeout = std::chrono::seconds(20);
  auto captured = sys::capture(*processes_, command);
  if (!captured) return fail(ErrorKind::unsupported, captured.error().message, kCure);
  if (captured->status.ok()) return {};
  const std::string why = base::printable(base::trim(captured->err));
  return fail(ErrorKind::unsupported,
              fmt::format("`{}` ended with status {}: {}", base::join(argv, " "), captured->status.code, why), kCure);
}

// The lines are handed over in memory, by a path that children of this process can open.
Status NetworkPool::run_batch(const std::string& program, const std::string& lines) const {
  const sys::UniqueFd memory(memfd_create("ingot-batch", MFD_CLOEXEC));
  if (!memory) return base::fail_errno(errno, "cannot make a file in memory");
  INGOT_CHECK(sys::write_all(memory.get(), lines));
  const std::string file = fmt::format("/proc/{}/fd/{}", getpid(), memory.get());
  return program == "nft" ? run({"nft", "-f", file}) : run({"ip", "-batch", file});
}

// A daemon that died a moment ago may still have its veths: the kernel takes namespaces apart in its own time.
Status NetworkPool::remove_old_links() const {
  std::string lines;
  for (const auto& name : links_named("ig" + instance_)) lines += "link delete " + name + "\n";
  if (lines.empty()) return {};
  auto removed = run_batch("ip", lines);
  // One that the kernel took away first is no failure.
  return removed || links_named("ig" + instance_).empty() ? Status() : removed;
}

Status NetworkPool::ensure_firewall() const {
  if (firewall_is_up(instance_)) return {};
  base::log::warning("network: the table {} is gone, perhaps by a reload of the host's firewall; making it again",
                     firewall_table(instance_));
  return run_batch("nft", firewall_rules(instance_, subnet_));
}

Status NetworkPool::prepare() {
  std::lock_guard lock(mutex_);
  return prepare_locked();
}

Status NetworkPool::prepare_locked() {
  if (prepared_) return ensure_firewall();
  INGOT_CHECK(remove_old_links());
  const Routes routes = read_routes();
  auto used = routes.networks;
  for (const auto& range : interface_ranges()) used.push_back(range);
  const auto subnet = pick_subnet(instance_, used);
  if (!subnet) {
    return fail(ErrorKind::unsupported, "every private range of IPv4 addresses is in use on this host",
                "leave 4,096 addresses of one without a route, or use network \"none\" or \"host\"");
  }
  subnet_ = *subnet;
  mtu_ = mtu_of(routes.uplink);
  INGOT_CHECK(run_batch("nft", firewall_rules(instance_, subnet_)));
  has_table_ = true;
  INGOT_CHECK(enable_forwarding());
  prepared_ = true;
  return {};
}

Status NetworkPool::prepare_ahead(unsigned wanted, const sys::CancelToken& cancel) {
  while (!cancel.canceled()) {
    {
      std::lock_guard lock(mutex_);
      if (next_number_ >= wanted) break;
    }
    INGOT_TRY(auto slot, new_slot());
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(slot));
  }
  return {};
}

Result<NetworkPool::Slot> NetworkPool::new_slot() {
  Slot slot;
  {
    std::lock_guard lock(mutex_);
    if (!returned_numbers_.empty()) {
      slot.number = returned_numbers_.back();
      returned_numbers_.pop_back();
    } else if (next_number_ < Subnet::kSlots) {
      slot.number = next_number_++;
    } else {
      return fail(ErrorKind::unavailable, "all step networks are in use");
    }
  }
  auto made = make_namespace(slot.number);
  if (!made) {
    (void)run({"ip", "link", "delete", link_name(slot.number)});
    std::lock_guard lock(mutex_);
    returned_numbers_.push_back(slot.number);
    return fail(made.error());
  }
  slot.network = std::move(*made);
  return slot;
}

// Everything in the new namespace is done by a thread that lives in it; programs that it starts do too.
Result<sys::UniqueFd> NetworkPool::make_namespace(unsigned number) const {
  Result<sys::UniqueFd> made = fail(ErrorKind::internal, "no network namespace was made");
  auto make = [&] {
    if (unshare(CLONE_NEWNET) != 0) {
      made = base::fail_errno(errno, "cannot make a network namespace");
      return;
    }
    made = sys::open_file(fmt::format("/proc/self/task/{}/ns/net", gettid()), O_RDONLY);
    if (!made) return;
    // The route needs the other end, which is not up yet: an interface without carrier takes routes all the same.
    const std::string batch = fmt::format(
        "link set lo up\n"
        "link add eth0 mtu {0} type veth peer name {1} mtu {0} netns /proc/{2}/ns/net\n"
        "addr add {3}/30 dev eth0\nlink set eth0 up\nroute add default via {4}\n",
        mtu_, link_name(number), getpid(), subnet_.step_address(number), subnet_.host_address(number));
    if (auto done = run_batch("ip", batch); !done) made = fail(done.error());
  };
  try {
    std::thread(make).join();
  } catch (const std::system_error& no_thread) {
    return base::fail_errno(no_thread.code().value(), "cannot start a thread for a network namespace");
  }
  if (!made) return made;
  INGOT_CHECK(run_batch("ip", fmt::format("addr add {0}/30 dev {1}\nlink set {1} up\n", subnet_.host_address(number),
                                          link_name(number))));
  return made;
}

Result<NetworkPool::Lease> NetworkPool::acquire() {
  {
    std::lock_guard lock(mutex_);
    INGOT_CHECK(prepare_locked());
    if (!idle_.empty()) {
      Lease lease(this, std::move(idle_.back()));
      idle_.pop_back();
      return lease;
    }
  }
  INGOT_TRY(auto slot, new_slot());
  return Lease(this, std::move(slot));
}

NetworkPool::Lease::~Lease() {
  if (pool_ == nullptr) return;
  std::lock_guard lock(pool_->mutex_);
  pool_->idle_.push_back(std::move(slot_));
}

std::string NetworkPool::Lease::path() const {
  return fmt::format("/proc/{}/fd/{}", getpid(), slot_.network.get());
}

}  // namespace ingot::sandbox
