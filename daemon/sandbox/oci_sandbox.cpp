#include "daemon/sandbox/oci_sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sandbox/leftovers.h"
#include "daemon/sandbox/mount_points.h"
#include "daemon/sandbox/oci_spec.h"
#include "daemon/sandbox/resolv_conf.h"
#include "daemon/sandbox/scratch.h"
#include "daemon/store/accounts.h"
#include "daemon/sys/mounts.h"
#include "proto/codec.h"

namespace ingot::sandbox {

using base::fail;
namespace log = base::log;

namespace {

constexpr const char* kHosts = "127.0.0.1\tlocalhost ingot\n::1\tlocalhost ip6-localhost ip6-loopback\n";

Status write_plain(const fs::path& path, const std::string& text) {
  INGOT_TRY(auto fd, sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return sys::write_all(fd.get(), text);
}

// The bundle is in memory, and so are these.
Status write_secrets(const StepSpec& step, const store::Account& account, const Bundle& bundle) {
  for (std::size_t i = 0; i < step.secret_files.size(); ++i) {
    const SecretFile& secret = step.secret_files[i];
    const fs::path path = bundle.secret_file(i);
    INGOT_TRY(auto fd, sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    INGOT_CHECK(sys::write_all(fd.get(), secret.value));
    // The owner first: changing it takes bits of the mode away.
    if (fchown(fd.get(), secret.uid.value_or(account.uid), secret.gid.value_or(account.gid)) != 0 ||
        fchmod(fd.get(), secret.mode) != 0) {
      return base::fail_errno(errno, "cannot give the step's secret its owner and mode");
    }
  }
  return {};
}

// As long as these live, somebody is behind the step's sockets.
using Servers = std::vector<std::unique_ptr<sys::SocketServer>>;

Result<Servers> open_sockets(const StepSpec& step, const store::Account& account, const Bundle& bundle) {
  Servers servers;
  for (std::size_t i = 0; i < step.sockets.size(); ++i) {
    const StepSocket& socket = step.sockets[i];
    const fs::path path = bundle.socket(i);
    INGOT_TRY(auto server, sys::SocketServer::open(path, socket.serve));
    servers.push_back(std::move(server));
    if (lchown(path.c_str(), socket.uid.value_or(account.uid), socket.gid.value_or(account.gid)) != 0 ||
        chmod(path.c_str(), socket.mode) != 0) {
      return base::fail_errno(errno, "cannot give the step's socket its owner and mode");
    }
  }
  return servers;
}

// Version 1 counts swap only where the kernel was told to at boot; version 2 leaves it to the runtime.
bool can_count_swap(const sys::Cgroups& cgroups) {
  std::error_code error;
  return cgroups.layout() == sys::CgroupLayout::v2 ||
         fs::exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", error);
}

// A name of an interface has at most 15 characters: "ig", the instance, and up to four digits.
bool is_valid_instance(const std::string& instance) {
  constexpr std::size_t kLongest = 9;
  return !instance.empty() && instance.size() <= kLongest &&
         std::all_of(instance.begin(), instance.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 && std::isupper(c) == 0; });
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::create(Settings settings, sys::ProcessRunner& processes) {
  if (!is_valid_instance(settings.instance)) {
    return fail(ErrorKind::internal, "\"" + settings.instance + "\" cannot name a daemon's network interfaces",
                "1 to 9 lower-case letters and digits can");
  }
  INGOT_CHECK(sys::make_directories(settings.run_directory, 0711));
  return std::make_unique<OciSandbox>(std::move(settings), sys::Cgroups::detect(), processes);
}

OciSandbox::OciSandbox(Settings settings, Result<sys::Cgroups> cgroups, sys::ProcessRunner& processes)
    : settings_(std::move(settings)),
      has_cgroups_(cgroups ? Status() : fail(cgroups.error())),
      cgroups_(cgroups.value_or(sys::Cgroups())),
      counts_swap_(can_count_swap(cgroups_)),
      processes_(&processes),
      cgroup_("/ingot-" + settings_.instance),
      networks_(settings_.instance, processes),
      preparation_([this] { get_ready(); }) {}

OciSandbox::~OciSandbox() {
  stopping_.cancel();
  preparation_.join();
  if (auto removed = cgroups_.remove(cgroup_); !removed) log::warning("sandbox: {}", removed.error().message);
  unmount_scratch(settings_.run_directory);
}

void OciSandbox::get_ready() {
  const sys::CancelToken stopping = stopping_.token();
  remove_leftovers(settings_, cgroups_, cgroup_);
  mount_scratch(settings_.run_directory);
  const fs::path layer = settings_.snapshot_directory / "mount-points";
  if (auto made = make_mount_point_layer(layer)) mount_points_ = layer;
  runtime_ = probe_runtime(settings_.runtime, settings_.run_directory, cgroup_, *processes_, stopping);
  bool networked = false;
  if (!stopping.canceled()) {
    log_runtime();
    networked = prepare_network();
  }
  {
    std::lock_guard lock(mutex_);
    ready_ = true;
    became_ready_.notify_all();
  }
  if (!networked) return;
  const unsigned wanted = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
  if (auto made = networks_.prepare_ahead(wanted, stopping); !made) log::warning("network: {}", made.error().message);
}

void OciSandbox::log_runtime() const {
  for (const auto& reason : runtime_.reasons) {
    if (runtime_.program.empty())
      log::warning("runtime {}", reason);
    else
      log::info("runtime {}", reason);
  }
}

bool OciSandbox::prepare_network() {
  if (!read_resolv_conf(settings_.dns).has_servers) {
    log::warning("network: every name server of the host is out of reach for steps; name some in network.dns");
  }
  auto prepared = networks_.prepare();
  if (!prepared) log::warning("network: {}", prepared.error().message);
  return prepared.has_value();
}

void OciSandbox::await_ready() {
  std::unique_lock lock(mutex_);
  became_ready_.wait(lock, [&] { return ready_; });
}

Status OciSandbox::write_bundle(const StepSpec& step, const Bundle& bundle, const store::Account& account) const {
  const std::string name_servers = step.network == Network::host && settings_.dns.empty()
                                       ? sys::read_file("/etc/resolv.conf").value_or("")
                                       : read_resolv_conf(settings_.dns).text;
  INGOT_CHECK(write_plain(bundle.directory / "resolv.conf", name_servers));
  std::string hosts = kHosts;
  for (const auto& [name, address] : step.hosts) hosts += address + "\t" + name + "\n";
  INGOT_CHECK(write_plain(bundle.directory / "hosts", hosts));
  INGOT_CHECK(write_secrets(step, account, bundle));
  const auto spec = make_spec(step, account, bundle);
  return write_plain(bundle.directory / "config.json", proto::dump(spec));
}

Status OciSandbox::check_allowed(const StepSpec& step) const {
  if (!has_cgroups_) return has_cgroups_;
  if (runtime_.program.empty()) {
    Error error{ErrorKind::unsupported,
                "no OCI runtime works on this host",
                "install runc (`ingot doctor` says more)",
                {},
                runtime_.reasons};
    return fail(std::move(error));
  }
  if (step.network == Network::host && !settings_.allow_host_network) {
    return fail(ErrorKind::denied, "this host does not allow steps on its own network",
                "set network.allow_host in the daemon's configuration");
  }
  if (step.privileged && !settings_.allow_privileged) {
    return fail(ErrorKind::denied, "this host does not allow privileged steps",
                "set sandbox.allow_privileged in the daemon's configuration: whoever may submit jobs is root then");
  }
  return {};
}

Result<StepOutcome> OciSandbox::run(const StepSpec& step, const sys::OutputSink& sink, const sys::CancelToken& cancel) {
  await_ready();
  INGOT_CHECK(check_allowed(step));
  const std::string id = base::random_id(12);
  const fs::path bundle = settings_.run_directory / id;
  // For root alone: config.json has the step's environment.
  INGOT_CHECK(sys::make_directories(bundle, 0700));
  INGOT_CHECK(sys::make_directories(bundle / "rootfs", 0700));
  auto outcome = run_in(step, bundle, id, sink, cancel);
  if (auto removed = sys::remove_tree(bundle); !removed) log::warning("sandbox: {}", removed.error().message);
  return outcome;
}

Result<StepOutcome> OciSandbox::run_in(const StepSpec& step, const fs::path& bundle, const std::string& id,
                                       const sys::OutputSink& sink, const sys::CancelToken& cancel) {
  std::optional<NetworkPool::Lease> network;
  if (step.network == Network::egress) {
    INGOT_TRY(auto lease, networks_.acquire());
    network.emplace(std::move(lease));
  }
  Result<StepOutcome> outcome = fail(ErrorKind::internal, "the step was not run");
  std::optional<MountPoints> points;
  Servers servers;
  auto layers = step.layers;
  if (mount_points_) layers.insert(layers.begin(), *mount_points_);
  {
    INGOT_TRY(auto mount,
              sys::mount_overlay(layers, step.upper, step.work, bundle / "rootfs", settings_.snapshot_directory));
    {
      INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
      INGOT_TRY(const auto account, store::find_account(root, step.user));
      const Bundle made{bundle, cgroup_of(id), network ? network->path() : "", counts_swap_};
      INGOT_CHECK(write_bundle(step, made, account));
      INGOT_TRY(servers, open_sockets(step, account, made));
      std::vector<MountPoints::Place> places;
      for (const auto& one : step.mounts) places.push_back({one.target, !one.is_file});
      for (const auto& secret : step.secret_files) places.push_back({secret.target, false});
      for (const auto& socket : step.sockets) places.push_back({socket.target, false});
      INGOT_TRY(points, MountPoints::make(root, step.upper, places));
    }
    outcome = execute(step, bundle, id, sink, cancel);
    servers.clear();
    INGOT_CHECK(mount.unmount());
  }
  points->clean(step.upper);
  return outcome;
}

Result<StepOutcome> OciSandbox::execute(const StepSpec& step, const fs::path& bundle, const std::string& id,
                                        const sys::OutputSink& sink, const sys::CancelToken& cancel) {
  const fs::path state = bundle / "runtime";
  const fs::path runtime_log = bundle / "runtime.log";
  sys::Command command;
  command.argv = {runtime_.program, "--root", state, "--log", runtime_log, "--log-format", "json", "run"};
  if (runtime_.keeps) command.argv.emplace_back("--keep");
  command.argv.insert(command.argv.end(), {"--bundle", bundle, id});
  command.timeout = step.timeout;
  auto status = processes_->run(command, sink, cancel);

  // Cut short, the runtime is dead and the container may not be; ended by itself, this finds nothing to kill. Its state
  // lies in the bundle and goes with it.
  const std::string cgroup = cgroup_of(id);
  cgroups_.kill_all(cgroup);
  StepOutcome outcome;
  outcome.out_of_memory = cgroups_.oom_kills(cgroup) > 0;
  outcome.peak_memory_bytes = cgroups_.peak_memory(cgroup);
  if (auto removed = cgroups_.remove(cgroup); !removed) log::warning("sandbox: {}", removed.error().message);
  if (!status) return fail(status.error());
  outcome.status = *status;
  if (!outcome.status.ok() && !outcome.status.canceled && !outcome.status.timed_out) {
    if (auto complaint = runtime_complaint(runtime_log); !complaint.empty()) {
      return fail(startup_error(complaint, step));
    }
  }
  return outcome;
}

}  // namespace ingot::sandbox
