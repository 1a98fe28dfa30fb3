#include "daemon/jobs/job_queue.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/jobs/deadlines.h"
#include "daemon/jobs/job_table.h"
#include "daemon/jobs/log_end.h"
#include "daemon/jobs/secret_vault.h"

namespace ingot::jobs {

namespace {

using base::fail;
using proto::JobState;
namespace log = base::log;

proto::Event state_event(JobState state, const std::optional<Error>& error = {}) {
  proto::Event event;
  event.type = proto::EventType::state;
  event.state = state;
  event.error = error;
  return event;
}

proto::Event note_event(std::string text) {
  proto::Event event;
  event.text = std::move(text);
  return event;
}

}  // namespace

struct JobQueue::State {
  JobTable table;
  StepTable steps;
  SecretVault vault;
  RetentionTable retention;
  JobLog::Total log_bytes = std::make_shared<std::atomic<std::uint64_t>>(0);
  fs::path log_directory;
  QueueSettings settings;
  base::Clock& clock;
  Deadlines deadlines;
  RunJob run;
  JobCounters counters;

  struct Running {
    sys::CancelSource cancel;
    std::string phase;  // as proto::Job has it
    bool timed_out = false;
    bool interrupted = false;  // the daemon stops: back to the queue
  };

  // Held from a new row to its first event, and while a worker claims or a cancellation ends a queued job: a log begins
  // with "queued" and nothing is written behind its end. Taken before `mutex`.
  std::mutex birth;
  mutable std::mutex mutex;  // guards all below; never held while the database or a job works
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Running>> running;
  std::map<std::string, std::weak_ptr<JobLog>> logs;  // of jobs that have not ended, while somebody uses them
  std::uint64_t wakeups = 0;                          // raised with each submission, so that none is slept through
  unsigned busy = 0;  // workers that look for a job or have one: a job is nobody's only between two of these
  bool draining = false;
  bool stopping = false;
  unsigned wanted_workers = 0;
  std::vector<std::thread> workers;

  State(db::Database& database, fs::path logs_at, QueueSettings given, base::Clock& time)
      : table(database, time),
        steps(database),
        vault(given.secrets),
        retention(database),
        log_directory(std::move(logs_at)),
        settings(std::move(given)),
        clock(time) {}

  fs::path log_path(const std::string& id) const { return log_directory / (id + ".ndjson"); }

  Result<std::shared_ptr<JobLog>> open_log(const std::string& id) {
    std::lock_guard lock(mutex);
    if (auto open = logs[id].lock()) return open;
    INGOT_TRY(auto opened, JobLog::open(log_path(id), settings.max_log_bytes, clock, log_bytes));
    logs[id] = opened;
    return opened;
  }

  void tell(const std::string& id, proto::Event event) {
    auto opened = open_log(id);
    if (!opened) {
      log::error("log of job {}: {}", id, opened.error().message);
      return;
    }
    (*opened)->append(std::move(event));
  }

  // What a job ends with, once its row says so: its secrets go, then its last event comes, after which followers stop.
  void end_job(const std::string& id, const proto::JobSpec& spec, JobState state, const std::optional<Error>& error) {
    if (!spec.secret_names.empty()) vault.remove(id);
    end_log(id, state, error);
  }

  void end_log(const std::string& id, JobState state, const std::optional<Error>& error) {
    if (auto opened = open_log(id)) {
      (*opened)->append(state_event(state, error));
      (*opened)->close();
    }
    std::lock_guard lock(mutex);
    logs.erase(id);
  }

  // While the disk is full it waits for room: a job that has ended and does not say so would keep who waits for it.
  Status finish(const std::string& id, JobState state, const std::optional<Error>& error) {
    constexpr std::chrono::milliseconds kLookAgain(250);
    for (bool told = false;; told = true) {
      auto finished = table.finish(id, state, error);
      if (finished || finished.error().kind != ErrorKind::no_space) return finished;
      if (!told) {
        log::error("job {} has {}, and that cannot be recorded: {}; trying again until there is room", id,
                   proto::name_of(state), finished.error().message);
      }
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, kLookAgain, [this] { return stopping; })) return finished;
    }
  }

  // Of a job whose final state was recorded just now.
  void count_end(JobState state) {
    if (state == JobState::succeeded) ++counters.succeeded;
    if (state == JobState::failed) ++counters.failed;
    if (state == JobState::canceled) ++counters.canceled;
  }

  void add_phase(proto::Job& job) const {
    if (job.state != JobState::running) return;
    std::lock_guard lock(mutex);
    if (auto found = running.find(job.id); found != running.end()) job.phase = found->second->phase;
  }
  // Whether somebody of this daemon still works on it, ended or not.
  bool is_busy(const std::string& id) const {
    std::lock_guard lock(mutex);
    auto log = logs.find(id);
    return running.contains(id) || (log != logs.end() && !log->second.expired());
  }
  void remove_log(const std::string& id) const {
    std::error_code error;
    const auto bytes = fs::file_size(log_path(id), error);
    if (!error && fs::remove(log_path(id), error)) *log_bytes -= sys::disk_bytes(bytes);
  }
  void count_logs() const {
    std::error_code error;
    for (fs::directory_iterator entry(log_directory, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code gone;
      if (const auto bytes = entry->file_size(gone); !gone) *log_bytes += sys::disk_bytes(bytes);
    }
  }
  Result<bool> retire_jobs(std::int64_t before_ms, std::uint64_t max_jobs, Retired& retired);
  Result<bool> retire_logs(std::int64_t before_ms, Retired& retired);

  void work(unsigned number);
  void run_one(const proto::Job& job);
  Status take_secrets(JobRun& job_run);
  void settle(const proto::Job& job, const Running& run_state, JobLog& job_log, Status outcome);
};

// A worker thread: takes the next job whenever it has none, sleeps while there is nothing.
void JobQueue::State::work(unsigned number) {
  while (true) {
    std::uint64_t seen = 0;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return draining || number < wanted_workers; });
      if (draining) return;
      seen = wakeups;
      ++busy;
    }
    Result<std::optional<proto::Job>> claimed = std::nullopt;
    {
      std::lock_guard born(birth);
      claimed = table.claim();
    }
    if (claimed && *claimed) run_one(**claimed);
    std::unique_lock lock(mutex);
    --busy;
    changed.notify_all();
    if (claimed && *claimed) continue;
    auto woken = [&] { return draining || number >= wanted_workers || wakeups != seen; };
    if (claimed) {
      changed.wait(lock, woken);
    } else {
      // Such as a full disk: say it, and come back without spinning.
      log::error("cannot take the next job: {}", claimed.error().message);
      changed.wait_for(lock, std::chrono::seconds(5), woken);
    }
  }
}

void JobQueue::State::run_one(const proto::Job& job) {
  const auto begun = clock.now();
  if (job.attempts == 1) counters.wait_seconds.observe(static_cast<double>(job.started_ms - job.created_ms) / 1000);
  auto state = std::make_shared<Running>();
  {
    std::lock_guard lock(mutex);
    running[job.id] = state;
    if (stopping) {
      state->interrupted = true;
      state->cancel.cancel();
    }
  }
  // A cancellation that was recorded between the claim and the line above found no switch to throw.
  if (auto now = table.find(job.id); now && now->cancel_requested) state->cancel.cancel();

  Deadlines::Id deadline = 0;
  const auto limit = job.spec.timeout_seconds != 0 ? job.spec.timeout_seconds : settings.default_timeout_seconds;
  if (limit != 0) {
    deadline = deadlines.add(std::chrono::seconds(limit), [this, state] {
      std::lock_guard lock(mutex);
      state->timed_out = true;
      state->cancel.cancel();
    });
  }
  if (auto job_log = open_log(job.id)) {
    (*job_log)->append(state_event(JobState::running));
    JobRun job_run{
        job,
        **job_log,
        state->cancel.token(),
        std::make_shared<const proto::Secrets>(),
        nullptr,
        {},
        [this, &job, &job_log](proto::Artifact artifact) -> Status {
          INGOT_CHECK(table.add_artifact(job.id, artifact));
          counters.saved_bytes += artifact.size;
          proto::Event event;
          event.type = proto::EventType::artifact;
          event.artifact = std::move(artifact);
          (*job_log)->append(std::move(event));
          return {};
        },
        [this, &job](const std::vector<StepRecord>& records) { return steps.record(job.id, records); },
        [this, &job](const std::vector<proto::FromImage>& images) { return table.record_images(job.id, images); },
        [this, state](bool waits) {
          std::lock_guard lock(mutex);
          state->phase = waits ? proto::kWaitingForDisk : "";
        },
        &steps};
    Status outcome = take_secrets(job_run);
    if (outcome) outcome = run(job_run);
    counters.run_seconds.observe(std::chrono::duration<double>(clock.now() - begun).count());
    if (!outcome && job_run.mask) outcome = fail(job_run.mask->apply(outcome.error()));
    if (deadline != 0) deadlines.remove(deadline);
    settle(job, *state, **job_log, std::move(outcome));
  } else {
    if (deadline != 0) deadlines.remove(deadline);
    log::error("job {}: {}", job.id, job_log.error().message);
    if (finish(job.id, JobState::failed, job_log.error())) {
      count_end(JobState::failed);
      vault.remove(job.id);
    }
  }
  std::lock_guard lock(mutex);
  running.erase(job.id);
  changed.notify_all();
}

// From the vault to the run, and out of its log.
Status JobQueue::State::take_secrets(JobRun& job_run) {
  if (job_run.job.spec.secret_names.empty()) return {};
  auto secrets = vault.get(job_run.job.id);
  if (!secrets && secrets.error().kind == ErrorKind::not_found) {
    // A job of a project that has some may well do without.
    const auto& names = job_run.job.spec.secret_names;
    job_run.lost_secrets = {names.begin(), names.end()};
    return {};
  }
  if (!secrets) return fail(secrets.error());
  std::vector<std::string> values;
  for (const auto& [id, value] : *secrets) values.push_back(value);
  job_run.secrets = std::make_shared<const proto::Secrets>(std::move(*secrets));
  auto mask = std::make_shared<const base::Mask>(values);
  if (mask->empty()) return {};
  job_run.mask = mask;
  job_run.log.hide(std::move(mask));
  return {};
}

// From how the work ended to the job's final state; the row first, then whoever listens.
void JobQueue::State::settle(const proto::Job& job, const Running& run_state, JobLog& job_log, Status outcome) {
  bool timed_out = false;
  bool interrupted = false;
  {
    std::lock_guard lock(mutex);
    timed_out = run_state.timed_out;
    interrupted = run_state.interrupted;
  }
  auto cancel_asked = [&] {
    auto row = table.find(job.id);
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
      if (auto put_back = table.requeue(job.id); !put_back) log::error("job {}: {}", job.id, put_back.error().message);
      job_log.append(state_event(JobState::queued));
      return;
    } else if (timed_out) {
      const auto limit = job.spec.timeout_seconds != 0 ? job.spec.timeout_seconds : settings.default_timeout_seconds;
      error = Error{ErrorKind::timed_out,
                    fmt::format("the job ran into its time limit of {} s", limit),
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
  count_end(state);
  log::info("job {} {}", job.id, proto::name_of(state));
  end_job(job.id, job.spec, state, error);
}

JobQueue::JobQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<JobQueue>> JobQueue::open(db::Database& database, const fs::path& log_directory,
                                                 QueueSettings settings, base::Clock& clock) {
  INGOT_CHECK(sys::make_directories(log_directory, 0750));
  std::unique_ptr<JobQueue> queue(
      new JobQueue(std::make_unique<State>(database, log_directory, std::move(settings), clock)));
  queue->state_->count_logs();
  INGOT_TRY(auto recovered, queue->state_->table.recover());
  for (const auto& job : recovered) {
    if (proto::is_final(job.state)) {
      queue->state_->end_log(job.id, job.state, job.error);
      continue;
    }
    log::warning("job {} was running when the daemon ended; it is run again", job.id);
    queue->state_->tell(job.id, note_event("the daemon ended while this job ran; it is run again from the start"));
    queue->state_->tell(job.id, state_event(JobState::queued));
  }
  queue->state_->vault.keep_only([&](const std::string& id) {
    auto job = queue->state_->table.find(id);
    if (!job) return job.error().kind != ErrorKind::not_found;  // what cannot be known now is not thrown away
    return job->id == id && !proto::is_final(job->state);
  });
  return queue;
}

JobQueue::~JobQueue() {
  drain(std::chrono::milliseconds(0));
  for (auto& worker : state_->workers) worker.join();
}

void JobQueue::start(RunJob run) {
  state_->run = std::move(run);
  set_workers(state_->settings.workers);
}

void JobQueue::set_workers(unsigned workers) {
  std::lock_guard lock(state_->mutex);
  if (!state_->run || state_->draining) return;
  state_->wanted_workers = workers;
  // A thread whose number is not wanted now sleeps until it is again.
  for (auto number = static_cast<unsigned>(state_->workers.size()); number < workers; ++number) {
    state_->workers.emplace_back([this, number] { state_->work(number); });
  }
  state_->changed.notify_all();
}

void JobQueue::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  state_->draining = true;
  state_->changed.notify_all();
  auto idle = [&] { return state_->busy == 0; };
  if (state_->changed.wait_for(lock, patience, idle)) return;
  state_->stopping = true;
  for (auto& [id, running] : state_->running) {
    running->interrupted = true;
    running->cancel.cancel();
  }
  state_->changed.wait(lock, idle);
}

Result<proto::Job> JobQueue::submit(proto::JobSpec spec, const proto::Submitter& submitter,
                                    const proto::Secrets& secrets) {
  spec.secret_names.clear();
  for (const auto& [id, value] : secrets) spec.secret_names.push_back(id);
  {
    std::lock_guard lock(state_->mutex);
    if (state_->draining) {
      return fail(ErrorKind::unavailable, "the daemon is stopping and takes no new jobs", "try again in a moment");
    }
  }
  std::lock_guard born(state_->birth);
  std::string kept;
  auto inserted =
      state_->table.insert(spec, submitter, "", state_->settings.max_queued, [&](const std::string& id) -> Status {
        if (secrets.empty()) return {};
        kept = id;
        return state_->vault.put(id, secrets);
      });
  if (!inserted && !kept.empty()) state_->vault.remove(kept);
  if (!inserted) return fail(inserted.error());
  if (!inserted->existed) announce(inserted->job.id);
  return inserted->job;
}

void JobQueue::announce(const std::string& id) {
  state_->tell(id, state_event(JobState::queued));
  std::lock_guard lock(state_->mutex);
  ++state_->wakeups;
  state_->changed.notify_all();
}

Result<proto::Job> JobQueue::retry(const std::string& id, const proto::Submitter& submitter) {
  // Between the look and the new row the earlier job, and so its context, must not be forgotten.
  std::lock_guard born(state_->birth);
  INGOT_TRY(auto earlier, state_->table.find(id));
  if (!proto::is_final(earlier.state)) {
    return fail(ErrorKind::conflict,
                fmt::format("job {} is still {}; only a job that has ended can be repeated", earlier.id,
                            proto::name_of(earlier.state)),
                "`ingot cancel " + earlier.id + "` ends it");
  }
  proto::JobSpec spec = earlier.spec;
  spec.idempotency_key.clear();
  INGOT_TRY(auto inserted, state_->table.insert(spec, submitter, earlier.id, state_->settings.max_queued));
  announce(inserted.job.id);
  return inserted.job;
}

Result<proto::Job> JobQueue::cancel(const std::string& id) {
  std::lock_guard born(state_->birth);
  INGOT_TRY(auto before, state_->table.find(id));
  INGOT_TRY(auto job, state_->table.request_cancel(before.id));
  if (job.state == JobState::canceled) {
    // Only here does a job go from queued to canceled, and nobody else is here now.
    if (before.state == JobState::queued) state_->count_end(job.state);
    state_->end_job(job.id, job.spec, job.state, job.error);
    return job;
  }
  std::lock_guard lock(state_->mutex);
  if (auto found = state_->running.find(job.id); found != state_->running.end()) found->second->cancel.cancel();
  return job;
}

Result<proto::Job> JobQueue::find(const std::string& id) const {
  auto job = state_->table.find(id);
  if (job) state_->add_phase(*job);
  return job;
}
Result<std::vector<proto::Job>> JobQueue::list(const JobFilter& filter) const {
  auto jobs = state_->table.list(filter);
  if (!jobs) return jobs;
  for (auto& job : *jobs) state_->add_phase(job);
  return jobs;
}
Result<std::vector<proto::StepReport>> JobQueue::steps(const std::string& id) const {
  INGOT_TRY(auto job, state_->table.find(id));
  return state_->steps.reports(job.id);
}

Result<std::vector<proto::ImageInfo>> JobQueue::images(std::size_t most) const {
  return state_->table.images(most);
}

Result<std::vector<proto::Artifact>> JobQueue::artifacts(const std::string& id) const {
  return state_->table.artifacts(id);
}

Result<LogReader> JobQueue::read_log(const std::string& id, std::uint64_t from_seq) const {
  INGOT_TRY(auto job, state_->table.find(id));
  if (proto::is_final(job.state) && !live_log(job.id)) {
    // A daemon that died between the job's last row and its last event left the log without an end. Meanwhile the job
    // is not forgotten, whose log would come back, and nobody else gives it another one.
    std::lock_guard born(state_->birth);
    INGOT_CHECK(state_->table.find(job.id));
    INGOT_CHECK(
        ensure_log_end(state_->log_path(job.id), state_event(job.state, job.error), state_->clock, state_->log_bytes));
  }
  return LogReader::open(state_->log_path(job.id), from_seq);
}

std::shared_ptr<JobLog> JobQueue::live_log(const std::string& id) const {
  auto job = state_->table.find(id);
  if (!job) return nullptr;
  if (!proto::is_final(job->state)) {
    auto opened = state_->open_log(job->id);
    return opened ? *opened : nullptr;
  }
  // Final in the table, but its last event may still be on its way.
  std::lock_guard lock(state_->mutex);
  auto found = state_->logs.find(job->id);
  return found == state_->logs.end() ? nullptr : found->second.lock();
}

JobQueue::Counts JobQueue::counts() const {
  return state_->table.counts().value_or(Counts{});
}

std::uint64_t JobQueue::log_bytes() const {
  return *state_->log_bytes;
}

Result<proto::Artifact> JobQueue::remove_artifact(const std::string& id, const std::string& artifact) {
  INGOT_TRY(auto job, state_->table.find(id));
  INGOT_CHECK(state_->retention.remove_artifact(job, artifact, state_->clock.unix_ms()));
  INGOT_TRY(auto all, state_->table.artifacts(job.id));
  for (auto& row : all) {
    if (row.id == artifact) return std::move(row);
  }
  return fail(ErrorKind::not_found, fmt::format("job {} has no artifact \"{}\"", job.id, base::printable(artifact)),
              "`ingot artifacts ls " + job.id + "` lists them");
}

// One batch; false when there is none. The log goes first: a log without a job would be nobody's, a job without a log
// goes with the next batch.
Result<bool> JobQueue::State::retire_jobs(std::int64_t before_ms, std::uint64_t max_jobs, Retired& retired) {
  std::lock_guard born(birth);  // nobody repeats one of them meanwhile
  INGOT_TRY(auto ids, retention.expired_jobs(before_ms, max_jobs));
  std::erase_if(ids, [&](const std::string& id) { return is_busy(id); });
  if (ids.empty()) return false;
  for (const auto& id : ids) remove_log(id);
  INGOT_CHECK(retention.forget_jobs(ids));
  retired.jobs += ids.size();
  return true;
}

// What is left of a log says so, and how the job ended: who waits for the job gets his answer.
Result<bool> JobQueue::State::retire_logs(std::int64_t before_ms, Retired& retired) {
  INGOT_TRY(auto ids, retention.expired_logs(before_ms));
  std::erase_if(ids, [&](const std::string& id) { return is_busy(id); });
  if (ids.empty()) return false;
  for (const auto& id : ids) {
    INGOT_TRY(auto job, table.find(id));
    remove_log(id);
    INGOT_TRY(auto stub, JobLog::open(log_path(id), settings.max_log_bytes, clock, log_bytes));
    stub->append(
        note_event("this log was removed for its age (retention.logs); `ingot retry " + id + "` runs the job again"));
    stub->append(state_event(job.state, job.error));
    stub->close();
  }
  INGOT_CHECK(retention.note_removed_logs(ids, clock.unix_ms()));
  retired.logs += ids.size();
  return true;
}

Result<Retired> JobQueue::retire(const RetentionPolicy& policy) {
  constexpr std::int64_t kNever = 0;  // no job ended before the epoch
  const std::int64_t now = state_->clock.unix_ms();
  const auto before = [&](std::int64_t age_ms) { return age_ms == 0 ? kNever : now - age_ms; };
  Retired retired;
  while (true) {
    INGOT_TRY(bool more, state_->retire_jobs(before(policy.jobs_ms), policy.max_jobs, retired));
    if (!more) break;
  }
  while (policy.logs_ms != 0) {
    INGOT_TRY(bool more, state_->retire_logs(before(policy.logs_ms), retired));
    if (!more) break;
  }
  while (policy.artifacts_ms != 0) {
    INGOT_TRY(auto removed, state_->retention.remove_artifacts(before(policy.artifacts_ms), now));
    if (removed == 0) break;
    retired.artifacts += removed;
  }
  return retired;
}

const JobCounters& JobQueue::counters() const {
  return state_->counters;
}

}  // namespace ingot::jobs
