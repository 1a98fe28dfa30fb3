#include "daemon/app/daemon.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <mutex>
#include <optional>

#include "daemon/api/server.h"
#include "daemon/app/host_checks.h"
#include "daemon/app/metrics.h"
#include "daemon/app/scheduled_sweep.h"
#include "daemon/app/state_lock.h"
#include "daemon/app/upkeep.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/db/database.h"
#include "daemon/image/push.h"
#include "daemon/jobs/secret_vault.h"
#include "daemon/pipeline/plan.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/store/layer_shares.h"
#include "daemon/sys/mounts.h"
#include "daemon/webhook/webhooks.h"
#include "proto/version.h"

namespace ingot::app {

namespace {

namespace fs = std::filesystem;
namespace log = base::log;

proto::VersionInfo version_info() {
  proto::VersionInfo info;
  info.version = proto::kVersion;
  info.features = {"jobs",
                   "contexts",
                   "events",
                   "artifacts",
                   "artifact-ranges",
                   "doctor",
                   "labels",
                   "retry",
                   "cache",
                   "plan",
                   "why",
                   "push",
                   "pull",
                   "secrets",
                   "metrics",
                   "artifact-removal",
                   "sweeps",
                   "schedules"};
  return info;
}

// What a reload can change while jobs run; copied for each job.
solver::Surroundings surroundings(const Config& config) {
  const std::chrono::seconds timeout(static_cast<std::int64_t>(config.step_timeout_seconds));
  return {config.network, config.limits, timeout};
}

// What the steps of all jobs share of the host's memory; the rest is the host's own.
std::uint64_t memory_for_steps() {
  const auto bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes / 10 * 9;
}

store::Sweeper::Settings sweeping(const Config& config) {
  store::Sweeper::Settings settings;
  settings.context_age_ms = config.context_age_ms;
  settings.quiet_ms = std::min(settings.quiet_ms, config.context_age_ms);
  return settings;
}

}  // namespace

// In the order of their making; destroyed in the other.
struct Daemon::Parts {
  Config config;
  std::optional<sys::FileLock> lock;
  std::unique_ptr<db::Database> database;
  std::optional<store::BlobStore> blobs;
  std::optional<store::ContextStore> contexts;
  std::optional<store::SnapshotStore> snapshots;
  std::optional<store::Sweeper> sweeper;
  std::optional<store::Collector> collector;
  std::unique_ptr<image::Images> images;
  std::optional<image::LayerBlobs> layers;
  std::unique_ptr<git::Repositories> repositories;
  fs::path fetch_directory;  // images on their way
  std::optional<sys::Mount> run_directory;
  std::unique_ptr<sandbox::Sandbox> sandbox;
  std::optional<solver::StepImages> step_images;
  jobs::ClientChannels clients;
  std::unique_ptr<solver::Solver> solver;
  std::unique_ptr<pipeline::Admission> admission;
  pipeline::KeptRecipes recipes;
  std::mutex defaults_mutex;  // guards the next two
  solver::Surroundings defaults;
  proto::Compression compression = proto::Compression::gzip;
  sys::CancelSource stopping;  // ends the plans that are being made
  std::unique_ptr<webhook::Webhooks> webhooks;
  std::unique_ptr<jobs::JobQueue> queue;
  std::unique_ptr<schedule::Scheduler> schedules;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<api::Server> server;
  bool stopped = false;
  const std::int64_t started_ms = base::system_clock().unix_ms();

  store::OtherUsage other_usage() const {
    const auto blob_totals = blobs->ledger().totals();
    const auto context_totals = contexts->totals();
    return {blob_totals.count,  blob_totals.bytes,           context_totals.count,          context_totals.bytes,
            queue->log_bytes(), solver->cache_mount_bytes(), solver->cache_mounts().count()};
  }
  Measured measured() const {
    return {*queue,
            *solver,
            *images,
            *blobs,
            *collector,
            *sweeper,
            *admission,
            recipes,
            *webhooks,
            *schedules,
            config.parallel_steps,
            started_ms};
  }

  pipeline::Engine engine() {
    std::lock_guard guard(defaults_mutex);
    return {*blobs,
            *contexts,
            *snapshots,
            *images,
            *repositories,
            *layers,
            *solver,
            *admission,
            recipes,
            clients,
            sys::system_processes(),
            fetch_directory,
            defaults,
            compression,
            config.allow_locally};
  }

  Result<api::PushWork> push_work(const proto::ImagePush& wanted, bool may_be_there = false);
  Status make_schedules(const fs::path& state);
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() {
  stop();
  if (!parts_->collector) return;
  parts_->collector->count_also({});  // it outlives whom it asks
  parts_->collector->collect_also(nullptr);
}

// A push that is found to make sense, to be done later.
Result<api::PushWork> Daemon::Parts::push_work(const proto::ImagePush& wanted, bool may_be_there) {
  INGOT_TRY(auto digest, base::Digest::parse(wanted.digest));
  INGOT_CHECK(image::check_push(digest, wanted.name, *layers, *blobs));
  return api::PushWork(
      [this, wanted, digest, may_be_there](const image::Progress& tell, const sys::CancelToken& cancel) {
        return image::push_image({digest, wanted.name, wanted.insecure, images->registry_rule(wanted.name),
                                  engine().compression, *layers, *blobs, fetch_directory, sys::system_processes(), tell,
                                  cancel, may_be_there});
      });
}

// Sweeps by the clock, and who is told of those that ended.
Status Daemon::Parts::make_schedules(const fs::path& state) {
  webhooks = std::make_unique<webhook::Webhooks>(webhook::Webhooks::Parts{
      webhook::DeliveryTable(*database), base::system_clock(), sys::system_processes(), fetch_directory,
      [this](const std::string& sweep) { return queue->find_sweep(sweep, true); }});
  webhooks->set_hooks(config.webhooks);
  const ScheduledSweeps sweeps{fs::absolute(config.socket_path), state / "schedules",
                               [this](unsigned uid, const std::string& key) { return queue->sweep_by_key(uid, key); },
                               sys::system_processes()};
  schedule::Scheduler::Hands hands;
  hands.submit = [sweeps](const schedule::Plan& plan, const std::string& key, const sys::CancelToken& cancel) {
    return sweeps.submit(plan, key, cancel);
  };
  hands.is_over = [this](const std::string& sweep) {
    return queue->find_sweep(sweep, false).map([](const proto::Sweep& found) { return proto::is_final(found.state); });
  };
  hands.tell_problem = [this](const schedule::Plan& plan, const std::string& problem) {
    webhooks->schedule_failed(plan.name, problem);
  };
  schedules =
      std::make_unique<schedule::Scheduler>(schedule::ScheduleTable(*database), base::system_clock(), std::move(hands));
  return schedules->set_plans(config.schedules);
}

Result<std::unique_ptr<Daemon>> Daemon::create(const Config& config, int inherited) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Parts>()));
  Parts& parts = *daemon->parts_;
  parts.config = config;
  parts.defaults = surroundings(config);
  parts.compression = config.image_compression;
  const fs::path state = fs::absolute(config.state_dir).lexically_normal();

  // 1. The state directory, for us alone.
  INGOT_CHECK(sys::make_directories(state, 0755));
  auto lock = lock_state(state);
  if (!lock && lock.error().kind == ErrorKind::conflict) {
    return base::fail(ErrorKind::conflict, "another ingotd uses the state directory " + state.string(),
                      "stop it, or give this one another with --state-dir");
  }
  if (!lock) return base::fail(lock.error());
  parts.lock.emplace(std::move(*lock));

  // 2. The database, and the stores of bytes beside it.
  INGOT_TRY(parts.database, db::Database::open(state / "ingot.db"));
  INGOT_TRY(auto blobs, store::BlobStore::open(state / "blobs"));
  parts.blobs.emplace(std::move(blobs));
  const store::ContextLimits limits{config.max_context_entries, config.max_context_file, config.max_context_total};
  INGOT_TRY(auto contexts, store::ContextStore::open(state / "contexts", *parts.blobs, limits));
  parts.contexts.emplace(std::move(contexts));
  INGOT_TRY(auto snapshots, store::SnapshotStore::open(state / "snapshots", *parts.database));
  parts.snapshots.emplace(std::move(snapshots));
  // No job runs yet, so layers that no image stands on are what killed builds left.
  INGOT_CHECK(parts.snapshots->remove_unreferenced());
  INGOT_CHECK(store::forget_shares_of_absent(*parts.database, *parts.blobs));
  parts.sweeper.emplace(*parts.database, *parts.blobs, *parts.contexts, sweeping(config), base::system_clock());
  INGOT_TRY(auto cap, config.cache_max.bytes_of(state));
  parts.collector.emplace(*parts.snapshots, *parts.database, cap);

  // 3. What runs steps.
  parts.fetch_directory = state / "fetch";
  INGOT_CHECK(sys::remove_tree(state / "fetch"));
  INGOT_CHECK(sys::make_directories(state / "fetch", 0700));
  parts.images = std::make_unique<image::Images>(config.images, state / "fetch", *parts.blobs, *parts.snapshots,
                                                 *parts.database, sys::system_processes());
  parts.repositories = std::make_unique<git::Repositories>(
      config.repositories, git::Limits{config.max_context_entries, config.max_context_file, config.max_context_total},
      sys::system_processes());
  parts.layers.emplace(*parts.database, *parts.blobs, *parts.snapshots);
  // Bundles are small, short-lived and many: in memory they cost no write, and a daemon that dies leaves none.
  INGOT_CHECK(sys::make_directories(state / "run", 0711));
  INGOT_TRY(auto run_directory, sys::mount_tmpfs(state / "run", "256m"));
  parts.run_directory.emplace(std::move(run_directory));
  sandbox::Settings settings;
  settings.run_directory = state / "run";
  settings.snapshot_directory = state / "snapshots";
  settings.runtime = config.runtime;
  settings.instance = base::Digest::of(state.string()).hex().substr(0, 8);
  settings.dns = config.dns;
  settings.allow_host_network = config.allow_host_network;
  settings.allow_privileged = config.allow_privileged;
  INGOT_TRY(parts.sandbox, sandbox::Sandbox::create(settings, sys::system_processes()));
  parts.step_images.emplace(*parts.layers, *parts.blobs, *parts.snapshots, parts.fetch_directory);
  parts.solver = std::make_unique<solver::Solver>(
      solver::Solver::Parts{*parts.database, *parts.blobs, *parts.snapshots, *parts.images, *parts.sandbox,
                            *parts.collector, base::system_clock(), state / "caches", &*parts.step_images},
      solver::Slots::Capacity{config.parallel_steps, memory_for_steps()});

  const fs::path secrets = jobs::SecretVault::place_for(config.secrets_directory, settings.instance);
  parts.admission = std::make_unique<pipeline::Admission>(
      [&parts](std::uint64_t bytes) { return parts.collector->make_room(bytes); });

  // 4. The queue; jobs that a dead daemon left running are queued again.
  jobs::QueueSettings queue;
  queue.workers = config.parallel_jobs;
  queue.max_queued = config.max_queued;
  queue.max_log_bytes = config.max_log_bytes;
  queue.secrets = secrets;
  queue.default_timeout_seconds = static_cast<std::uint64_t>(config.job_timeout_seconds);
  INGOT_TRY(parts.queue, jobs::JobQueue::open(*parts.database, state / "logs", std::move(queue), base::system_clock()));
  INGOT_CHECK(parts.make_schedules(state));
  parts.collector->count_also([&parts] { return parts.other_usage(); });
  parts.collector->collect_also(&parts.solver->cache_mounts());

  // 5. The socket.
  api::ServerSettings server;
  server.socket_path = config.socket_path;
  server.inherited_socket = inherited;
  server.group = config.socket_group;
  server.mode = config.socket_mode;
  server.max_connections = config.max_connections;
  auto doctor = [&parts, state, secrets] {
    auto checks = parts.sandbox->checks();
    checks.push_back(secrets_check(secrets));
    for (auto& check : host_checks(state, sys::system_processes())) checks.push_back(std::move(check));
    return checks;
  };
  auto plan = [&parts](const proto::JobSpec& spec, const proto::Secrets& given) {
    return pipeline::plan(parts.engine(), spec, given, parts.stopping.token());
  };
  auto push = [&parts](const proto::ImagePush& wanted) { return parts.push_work(wanted); };
  api::Services services{
      *parts.queue, *parts.blobs, parts.layers->composed(), *parts.contexts, *parts.collector, version_info(), doctor,
      plan,         push};
  services.clients = &parts.clients;
  services.metrics = [&parts] { return metrics_text(parts.measured()); };
  services.sweep = [&parts](bool dry_run) { return parts.sweeper->sweep(dry_run); };
  services.schedules = parts.schedules.get();
  services.sweep_soon = [&parts] { parts.upkeep->wake(); };
  INGOT_TRY(parts.server, api::Server::listen(server, services));
  return daemon;
}

void Daemon::start() {
  const auto run = [parts = parts_.get()](jobs::JobRun& job) -> Status {
    auto done = pipeline::run_job(parts->engine(), job);
    malloc_trim(0);  // the daemon idles for longer than it builds
    return done;
  };
  const auto publish = [parts = parts_.get()](const proto::ImagePush& image, const sys::CancelToken& cancel) -> Status {
    INGOT_TRY(const auto work, parts->push_work(image, true));
    INGOT_CHECK(work([](const std::string&) {}, cancel));
    return {};
  };
  parts_->queue->start(run, publish, [webhooks = parts_->webhooks.get()] { webhooks->sweep_ended(); });
  parts_->webhooks->start();
  const auto interval = upkeep_interval(parts_->config.retention, sweeping(parts_->config));
  parts_->upkeep = std::make_unique<Upkeep>(Upkeep::Parts{*parts_->queue, *parts_->blobs, *parts_->sweeper,
                                                          *parts_->collector, *parts_->snapshots, *parts_->solver},
                                            parts_->config.retention, interval);
  parts_->server->start();
  parts_->schedules->start();  // which submit by the socket
}

void Daemon::reload(const Config& config) {
  for (const auto& key : config_keys()) {
    if (parts_->config.texts[key.name] == config.texts.at(key.name)) continue;
    if (key.reloadable)
      log::info("reload: {} is now {}", key.name, config.texts.at(key.name));
    else
      log::warning("reload: {} stays {} until a restart", key.name, parts_->config.texts[key.name]);
  }
  log::set_level(config.log_level);
  parts_->queue->set_workers(config.parallel_jobs);
  parts_->images->set_rules(config.images);
  parts_->repositories->set_rules(config.repositories);
  parts_->webhooks->set_hooks(config.webhooks);
  if (auto set = parts_->schedules->set_plans(config.schedules); !set) log::error("reload: {}", set.error().message);
  parts_->sweeper->set_context_age(config.context_age_ms);
  if (parts_->upkeep) parts_->upkeep->set_policy(config.retention, upkeep_interval(config.retention, sweeping(config)));
  std::lock_guard lock(parts_->defaults_mutex);
  parts_->defaults = surroundings(config);
  parts_->compression = config.image_compression;
  for (const auto& key : config_keys()) {
    if (key.reloadable) parts_->config.texts[key.name] = config.texts.at(key.name);
  }
  parts_->config.drain_seconds = config.drain_seconds;
}

void Daemon::stop() {
  if (!parts_->queue || parts_->stopped) return;
  parts_->stopped = true;
  if (parts_->schedules) parts_->schedules->stop();  // what would be refused now is for the next daemon
  const auto running = parts_->queue->counts().running;
  if (running > 0) {
    log::info("waiting up to {} s for {} running jobs", parts_->config.drain_seconds, running);
  }
  parts_->queue->drain(std::chrono::milliseconds(static_cast<std::int64_t>(parts_->config.drain_seconds * 1000)));
  parts_->stopping.cancel();
  if (parts_->webhooks) parts_->webhooks->stop();
  if (parts_->server) parts_->server->stop();
}

bool Daemon::healthy() const {
  // Goes through the database's lock: a daemon that hangs there is one that systemd should restart.
  parts_->queue->counts();
  return true;
}

}  // namespace ingot::app
