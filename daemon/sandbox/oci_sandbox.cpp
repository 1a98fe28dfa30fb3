#include "daemon/sandbox/oci_sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sandbox/mount_points.h"
#include "daemon/sandbox/oci_spec.h"
#include "daemon/sandbox/resolv_conf.h"
#include "daemon/store/accounts.h"
#include "daemon/sys/mounts.h"
#include "proto/codec.h"

namespace ingot::sandbox {

using base::fail;
namespace log = base::log;

namespace {

constexpr const char* kHosts = "127.0.0.1\tlocalhost ingot\n::1\tlocalhost ip6-localhost ip6-loopback\n";

// What the runtime itself complained of, when it could not start the step: the last error of its JSON log.
std::string runtime_complaint(const fs::path& log_file) {
  std::string complaint;
  auto text = sys::read_file(log_file);
  if (!text) return complaint;
  for (const auto& line : base::split(*text, '\n')) {
    auto entry = proto::parse_json(line);
    if (!entry || !entry->is_object() || entry->value("level", "") != "error") continue;
    complaint = entry->value("msg", "");
  }
  return complaint;
}

Status write_plain(const fs::path& path, const std::string& text) {
  INGOT_TRY(auto fd, sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return sys::write_all(fd.get(), text);
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::create(Settings settings, sys::ProcessRunner& processes) {
  INGOT_TRY(auto cgroups, sys::Cgroups::detect());
  INGOT_CHECK(sys::make_directories(settings.run_directory, 0711));
  return std::make_unique<OciSandbox>(std::move(settings), std::move(cgroups), processes);
}

OciSandbox::OciSandbox(Settings settings, sys::Cgroups cgroups, sys::ProcessRunner& processes)
    : settings_(std::move(settings)),
      cgroups_(std::move(cgroups)),
      processes_(&processes),
      cgroup_("/ingot-" + settings_.instance),
      networks_(settings_.instance, settings_.run_directory, processes),
      preparation_([this] { get_ready(); }) {}

OciSandbox::~OciSandbox() {
  preparation_.join();
}

void OciSandbox::get_ready() {
  // Containers of a daemon that died: their processes first, then what it kept of them. Its mounts went with it.
  cgroups_.kill_all(cgroup_);
  if (auto removed = cgroups_.remove(cgroup_); !removed) {
    log::warning("sandbox: {}", removed.error().message);
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(settings_.run_directory, error)) {
    umount2((entry.path() / "rootfs").c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    if (auto removed = sys::remove_tree(entry.path()); !removed) log::warning("sandbox: {}", removed.error().message);
  }
  runtime_ = probe_runtime(settings_.runtime, settings_.run_directory, *processes_);
  for (const auto& reason : runtime_.reasons) {
    if (runtime_.program.empty())
      log::warning("runtime {}", reason);
    else
      log::info("runtime {}", reason);
  }
  auto host = sys::read_file("/etc/resolv.conf");
  auto resolved = sys::read_file("/run/systemd/resolve/resolv.conf");
  auto made = make_resolv_conf(host.value_or(""), settings_.dns);
  // systemd-resolved's stub listens on loopback; the servers behind it are in a file of their own.
  if (!made.has_servers && resolved) made = make_resolv_conf(*resolved, settings_.dns);
  resolv_conf_ = made.text;
  has_name_servers_ = made.has_servers;
  if (auto prepared = networks_.prepare(); !prepared) log::warning("network: {}", prepared.error().message);
  std::lock_guard lock(mutex_);
  ready_ = true;
  became_ready_.notify_all();
}

void OciSandbox::await_ready() {
  std::unique_lock lock(mutex_);
  became_ready_.wait(lock, [&] { return ready_; });
}

Status OciSandbox::write_bundle(const StepSpec& step, const fs::path& bundle, const std::string& id,
                                const sys::RootedDir& root, const std::string& network) const {
  INGOT_TRY(auto account, store::find_account(root, step.user));
  INGOT_CHECK(write_plain(bundle / "resolv.conf", resolv_conf_));
  INGOT_CHECK(write_plain(bundle / "hosts", kHosts));
  INGOT_CHECK(write_plain(bundle / "hostname", "ingot\n"));
  const auto spec = make_spec(step, account, Bundle{bundle, cgroup_of(id), network});
  return write_plain(bundle / "config.json", proto::dump(spec));
}

Result<StepOutcome> OciSandbox::run(const StepSpec& step, const sys::OutputSink& sink, const sys::CancelToken& cancel) {
  await_ready();
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
  const std::string id = base::random_id(12);
  const fs::path bundle = settings_.run_directory / id;
  INGOT_CHECK(sys::make_directories(bundle / "rootfs", 0711));
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
  {
    INGOT_TRY(auto mount,
              sys::mount_overlay(step.layers, step.upper, step.work, bundle / "rootfs", settings_.snapshot_directory));
    {
      INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
      points = MountPoints::before(root);
      INGOT_CHECK(write_bundle(step, bundle, id, root, network ? network->path() : ""));
    }
    outcome = execute(step, bundle, id, sink, cancel);
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
      return fail(ErrorKind::step_failed, "the step could not be started: " + base::printable(complaint),
                  "check that the image has the program, e.g. /bin/sh");
    }
  }
  return outcome;
}

}  // namespace ingot::sandbox
