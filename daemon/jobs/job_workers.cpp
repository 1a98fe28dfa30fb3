#include "daemon/jobs/job_workers.h"

#include <fmt/format.h>

#include "daemon/base/log.h"
#include "daemon/jobs/job_events.h"

namespace ingot::jobs {

namespace log = base::log;
using base::fail;
using proto::JobState;

JobWorkers::~JobWorkers() {
  drain(std::chrono::milliseconds(0));
  for (auto& thread : threads_) thread.join();
}

void JobWorkers::start(RunJob run, unsigned count) {
  run_ = std::move(run);
  set_count(count);
}

void JobWorkers::set_count(unsigned count) {
  std::lock_guard lock(mutex_);
  if (!run_ || draining_) return;
  wanted_ = count;
  ++wakeups_;  // who looked for single jobs alone may take others now
  have_threads();
  changed_.notify_all();
}

// One that is too much sleeps until it is wanted again.
void JobWorkers::have_threads() {
  while (threads_.size() < most_busy() + kBesideSweeps) threads_.emplace_back([this] { work(); });
}

std::shared_ptr<void> JobWorkers::step_aside() {
  std::lock_guard lock(mutex_);
  ++aside_;
  ++wakeups_;
  if (!draining_) have_threads();
  changed_.notify_all();
  return std::shared_ptr<void>(this, [this](void*) {
    std::lock_guard back(mutex_);
    --aside_;
  });
}

void JobWorkers::wake() {
  std::lock_guard lock(mutex_);
  ++wakeups_;
  changed_.notify_all();
}

void JobWorkers::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  draining_ = true;
  changed_.notify_all();
  auto idle = [&] { return busy_ == 0; };
  if (changed_.wait_for(lock, patience, idle)) return;
  stopping_ = true;
  for (auto& [id, running] : running_) {
    running->interrupted = true;
    running->cancel.cancel();
  }
  changed_.wait(lock, idle);
}

bool JobWorkers::is_draining() const {
  std::lock_guard lock(mutex_);
  return draining_;
}

void JobWorkers::cancel(const std::string& id) {
  std::lock_guard lock(mutex_);
  if (auto found = running_.find(id); found != running_.end()) found->second->cancel.cancel();
}

bool JobWorkers::has(const std::string& id) const {
  std::lock_guard lock(mutex_);
  return running_.contains(id);
}

std::string JobWorkers::phase_of(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto found = running_.find(id);
  return found == running_.end() ? "" : found->second->phase;
}

// A worker thread: takes the next job whenever it has none, sleeps while there is nothing.
void JobWorkers::work() {
  while (true) {
    std::uint64_t seen = 0;
    auto which = JobTable::Which::any;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return draining_ || busy_ < most_busy() || has_cells_only(); });
      if (draining_) return;
      seen = wakeups_;
      if (busy_ >= most_busy()) which = JobTable::Which::no_cells;
      ++busy_;
    }
    Result<std::optional<proto::Job>> claimed = std::nullopt;
    {
      std::lock_guard born(records_.birth);
      claimed = records_.table.claim(which);
    }
    if (claimed && *claimed) run_one(**claimed);
    std::unique_lock lock(mutex_);
    --busy_;
    changed_.notify_all();
    if (claimed && *claimed) continue;
    auto woken = [&] { return draining_ || wakeups_ != seen; };
    if (claimed) {
      changed_.wait(lock, woken);
    } else {
      // Such as a full disk: say it, and come back without spinning.
      log::error("cannot take the next job: {}", claimed.error().message);
      changed_.wait_for(lock, std::chrono::seconds(5), woken);
    }
  }
}

void JobWorkers::run_one(const proto::Job& job) {
  const auto running = begin(job);
  const Deadlines::Id deadline = set_deadline(job, running);
  if (auto job_log = records_.logs.open(job.id)) {
    run_with_log(job, running, deadline, **job_log);
  } else {
    if (deadline != 0) deadlines_.remove(deadline);
    log::error("job {}: {}", job.id, job_log.error().message);
    if (finish(job.id, JobState::failed, job_log.error())) {
      records_.count_end(JobState::failed);
      records_.vault.remove(job.id);
      if (records_.ended) records_.ended(job.id);
    }
  }
  std::lock_guard lock(mutex_);
  running_.erase(job.id);
  if (!job.sweep.empty()) --cells_;
  changed_.notify_all();
}

std::shared_ptr<JobWorkers::Running> JobWorkers::begin(const proto::Job& job) {
  if (job.attempts == 1) {
    records_.counters.wait_seconds.observe(static_cast<double>(job.started_ms - job.created_ms) / 1000);
  }
  auto running = std::make_shared<Running>();
  {
    std::lock_guard lock(mutex_);
    running_[job.id] = running;
    if (!job.sweep.empty()) ++cells_;
    if (stopping_) {
      running->interrupted = true;
      running->cancel.cancel();
    }
  }
  // A cancellation that was recorded between the claim and the line above found no switch to throw.
  if (auto now = records_.table.find(job.id); now && now->cancel_requested) running->cancel.cancel();
  return running;
}

std::uint64_t JobWorkers::limit_of(const proto::Job& job) const {
  return job.spec.timeout_seconds != 0 ? job.spec.timeout_seconds : default_timeout_seconds_;
}

Deadlines::Id JobWorkers::set_deadline(const proto::Job& job, const std::shared_ptr<Running>& running) {
  if (limit_of(job) == 0) return 0;
  return deadlines_.add(std::chrono::seconds(limit_of(job)), [this, running] {
    std::lock_guard lock(mutex_);
    running->timed_out = true;
    running->cancel.cancel();
  });
}

void JobWorkers::run_with_log(const proto::Job& job, const std::shared_ptr<Running>& running, Deadlines::Id deadline,
                              JobLog& job_log) {
  const auto begun = records_.clock.now();
  // The logs of a sweep's cells begin when these do: thousands may be queued at once.
  if (job_log.size() == 0) job_log.append(state_event(JobState::queued));
  job_log.append(state_event(JobState::running));
  JobRun job_run{job,
                 job_log,
                 running->cancel.token(),
                 std::make_shared<const proto::Secrets>(),
                 nullptr,
                 {},
                 [this, &job, &job_log](std::vector<proto::Artifact> artifacts) -> Status {
                   INGOT_CHECK(records_.table.add_artifacts(job.id, artifacts));
                   for (auto& artifact : artifacts) {
                     records_.counters.saved_bytes += artifact.size;
                     proto::Event event;
                     event.type = proto::EventType::artifact;
                     event.artifact = std::move(artifact);
                     job_log.append(std::move(event));
                   }
                   return {};
                 },
                 [this, &job](const std::vector<StepRecord>& steps) { return records_.steps.record(job.id, steps); },
                 [this, &job](const std::vector<proto::FromImage>& images) {
                   return records_.table.record_images(job.id, images);
                 },
                 [this, &job](const std::vector<proto::FromRepository>& repositories) {
                   return records_.table.record_repositories(job.id, repositories);
                 },
                 [this, running](bool waits) {
                   std::lock_guard lock(mutex_);
                   running->phase = waits ? proto::kWaitingForDisk : "";
                 },
                 &records_.steps,
                 [this] { return step_aside(); }};
  Status outcome = take_secrets(job_run);
  if (outcome) outcome = run_(job_run);
  records_.counters.run_seconds.observe(std::chrono::duration<double>(records_.clock.now() - begun).count());
  if (!outcome && job_run.mask) outcome = fail(job_run.mask->apply(outcome.error()));
  if (deadline != 0) deadlines_.remove(deadline);
  settle(job, *running, job_log, std::move(outcome));
}

// From the vault to the run, and out of its log.
Status JobWorkers::take_secrets(JobRun& job_run) {
  if (job_run.job.spec.secret_names.empty()) return {};
  auto secrets = records_.vault.get(job_run.job.id);
  if (!secrets && secrets.error().kind == ErrorKind::not_found) {
    // A job of a project that has some may well do without.
    const auto& names = job_run.job.spec.secret_names;
    job_run.lost_secrets = {names.begin(), names.end()};
    return {};
  }
  if (!secrets) return fail(secrets.error());
  const auto values = proto::values_to_hide(*secrets);
  job_run.secrets = std::make_shared<const proto::Secrets>(std::move(*secrets));
  auto mask = std::make_shared<const base::Mask>(values);
  if (mask->empty()) return {};
  job_run.mask = mask;
  job_run.log.hide(std::move(mask));
  return {};
}

// While the disk is full it waits for room: a job that has ended and does not say so would keep who waits for it.
Status JobWorkers::finish(const std::string& id, JobState state, const std::optional<Error>& error) {
  constexpr std::chrono::milliseconds kLookAgain(250);
  for (bool told = false;; told = true) {
    auto finished = records_.table.finish(id, state, error);
    if (finished || finished.error().kind != ErrorKind::no_space) return finished;
    if (!told) {
      log::error("job {} has {}, and that cannot be recorded: {}; trying again until there is room", id,
                 proto::name_of(state), finished.error().message);
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kLookAgain, [this] { return stopping_; })) return finished;
  }
}

// From how the work ended to the job's final state; the row first, then whoever listens.
void JobWorkers::settle(const proto::Job& job, const Running& running, JobLog& job_log, Status outcome) {
  bool timed_out = false;
  bool interrupted = false;
  {
    std::lock_guard lock(mutex_);
    timed_out = running.timed_out;
    interrupted = running.interrupted;
  }
  auto cancel_asked = [&] {
    auto row = records_.table.find(job.id);
    return row && row->cancel_requested;
  };
  JobState state = JobState::succeeded;
  std::optional<Error> error;
  if (!outcome) {
    state = JobState::failed;
    error = outcome.error();
    if (cancel_asked()) {
      state = JobState::canceled;
      error = Error{ErrorKind::canceled, "canceled", "", {}, {}};
    } else if (interrupted) {
      job_log.append(note_event("the daemon stops; the job goes back to the queue and is run again after its restart"));
      if (auto put_back = records_.table.requeue(job.id); !put_back) {
        log::error("job {}: {}", job.id, put_back.error().message);
      }
      job_log.append(state_event(JobState::queued));
      return;
    } else if (timed_out) {
      error = Error{ErrorKind::timed_out,
                    fmt::format("the job ran into its time limit of {} s", limit_of(job)),
                    "give it more with --timeout",
                    {},
                    {}};
    }
  }
  if (auto synced = job_log.sync(); !synced) log::error("job {}: {}", job.id, synced.error().message);
  if (auto finished = finish(job.id, state, error); !finished) {
    log::error("job {} cannot be recorded as {}: {}; it will be run again after a restart", job.id,
               proto::name_of(state), finished.error().message);
    return;
  }
  records_.count_end(state);
  log::info("job {} {}", job.id, proto::name_of(state));
  records_.end(job.id, job.spec, state, error);
}

}  // namespace ingot::jobs
