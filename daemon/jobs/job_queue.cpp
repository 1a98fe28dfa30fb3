#include "daemon/jobs/job_queue.h"

#include <fmt/format.h>

#include "daemon/base/log.h"
#include "daemon/jobs/job_events.h"
#include "daemon/jobs/job_records.h"
#include "daemon/jobs/job_retirement.h"
#include "daemon/jobs/job_workers.h"
#include "daemon/jobs/sweeps.h"

namespace ingot::jobs {

using base::fail;
using proto::JobState;

struct JobQueue::State {
  State(db::Database& database, const fs::path& log_directory, QueueSettings given, base::Clock& clock)
      : settings(std::move(given)),
        records(database, log_directory, settings, clock),
        sweeps(records.sweeps, clock,
               {[this] { workers.wake(); }, [this](const std::string& job) { cancel_running(job); },
                [this](const std::string& job) { forget_canceled(job); }}),
        workers(records, settings.default_timeout_seconds),
        retirement(database, records, workers) {
    records.ended = [this](const std::string& job) { sweeps.job_ended(job); };
  }
  ~State() { sweeps.stop(); }  // it wakes workers

  void cancel_running(const std::string& job) {
    if (auto requested = records.table.request_cancel(job); !requested) return;
    workers.cancel(job);
  }
  // Keeps the secrets of each job that `change` makes, or of none when it fails.
  Result<proto::Sweep> with_secrets(
      const proto::Secrets& secrets,
      const std::function<Result<proto::Sweep>(const SweepTable::BeforeCommit&)>& change) {
    std::lock_guard born(records.birth);
    std::vector<std::string> kept;
    auto sweep = change([&](const std::string& job) -> Status {
      if (secrets.empty()) return {};
      kept.push_back(job);
      return records.vault.put(job, secrets);
    });
    if (sweep) return sweep;
    for (const auto& job : kept) records.vault.remove(job);
    return sweep;
  }
  void forget_canceled(const std::string& job) {
    records.vault.remove(job);
    records.count_end(JobState::canceled);
    // Somebody follows it; who reads it later gets its end then.
    if (records.logs.find(job) == nullptr) return;
    if (const auto row = records.table.find(job)) records.logs.end(job, row->state, row->error);
  }

  const QueueSettings settings;
  JobRecords records;
  Sweeps sweeps;  // before the workers, which tell it of ends until they have ended
  JobWorkers workers;
  JobRetirement retirement;
};

JobQueue::JobQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}
JobQueue::~JobQueue() = default;

Result<std::unique_ptr<JobQueue>> JobQueue::open(db::Database& database, const fs::path& log_directory,
                                                 QueueSettings settings, base::Clock& clock) {
  INGOT_CHECK(sys::make_directories(log_directory, 0750));
  std::unique_ptr<JobQueue> queue(
      new JobQueue(std::make_unique<State>(database, log_directory, std::move(settings), clock)));
  JobRecords& records = queue->state_->records;
  records.logs.count();
  INGOT_TRY(auto recovered, records.table.recover());
  for (const auto& job : recovered) {
    if (proto::is_final(job.state)) {
      records.logs.end(job.id, job.state, job.error);
      continue;
    }
    base::log::warning("job {} was running when the daemon ended; it is run again", job.id);
    records.logs.tell(job.id, note_event("the daemon ended while this job ran; it is run again from the start"));
    records.logs.tell(job.id, state_event(JobState::queued));
  }
  const auto unfinished = records.table.unfinished();
  // What cannot be known now is not thrown away.
  records.vault.keep_only([&](const std::string& id) { return !unfinished || unfinished->contains(id); });
  return queue;
}

void JobQueue::start(RunJob run, PublishImage publish, std::function<void()> sweep_ended) {
  state_->sweeps.start(std::move(publish), std::move(sweep_ended));
  state_->workers.start(std::move(run), state_->settings.workers);
}

Result<proto::Sweep> JobQueue::submit_sweep(const proto::SweepSpec& spec, const proto::Submitter& submitter,
                                            const proto::Secrets& secrets) {
  if (state_->workers.is_draining()) {
    return fail(ErrorKind::unavailable, "the daemon is stopping and takes no new sweeps", "try again in a moment");
  }
  proto::SweepSpec named = spec;
  named.job.secret_names.clear();
  for (const auto& [id, value] : secrets) named.job.secret_names.push_back(id);
  INGOT_TRY(const auto sweep, state_->with_secrets(secrets, [&](const SweepTable::BeforeCommit& keep) {
    return state_->records.sweeps.insert(named, submitter, state_->settings.max_queued, keep);
  }));
  if (!sweep.existed) state_->sweeps.submitted(sweep);
  return sweep;
}

Result<std::vector<proto::CellForecast>> JobQueue::forecast(const proto::SweepSpec& spec) const {
  return state_->records.sweeps.forecast(spec);
}

Result<proto::Sweep> JobQueue::find_sweep(const std::string& id, bool with_cells) const {
  return state_->records.sweeps.find(id, with_cells);
}

Result<std::string> JobQueue::sweep_by_key(std::uint32_t uid, const std::string& key) const {
  return state_->records.sweeps.by_key(uid, key);
}

Result<std::vector<proto::Sweep>> JobQueue::sweeps(std::size_t most) const {
  return state_->records.sweeps.list(most);
}

Result<proto::Sweep> JobQueue::cancel_sweep(const std::string& id) {
  INGOT_TRY(const auto sweep, state_->records.sweeps.find(id, false));
  INGOT_CHECK(state_->sweeps.cancel(sweep.id));
  return state_->records.sweeps.find(sweep.id, false);
}

Result<proto::Sweep> JobQueue::retry_sweep(const std::string& id, bool failed_only, const proto::Submitter& submitter,
                                           const proto::Secrets& secrets) {
  INGOT_TRY(const auto sweep, state_->with_secrets(secrets, [&](const SweepTable::BeforeCommit& keep) {
    return state_->records.sweeps.retry(id, failed_only, submitter, state_->settings.max_queued, keep);
  }));
  state_->sweeps.submitted(sweep);
  return sweep;
}

void JobQueue::set_workers(unsigned workers) {
  state_->workers.set_count(workers);
}

void JobQueue::drain(std::chrono::milliseconds patience) {
  state_->workers.drain(patience);
}

Result<proto::Job> JobQueue::submit(proto::JobSpec spec, const proto::Submitter& submitter,
                                    const proto::Secrets& secrets) {
  spec.secret_names.clear();
  for (const auto& [id, value] : secrets) spec.secret_names.push_back(id);
  if (state_->workers.is_draining()) {
    return fail(ErrorKind::unavailable, "the daemon is stopping and takes no new jobs", "try again in a moment");
  }
  JobRecords& records = state_->records;
  std::lock_guard born(records.birth);
  std::string kept;
  auto inserted =
      records.table.insert(spec, submitter, "", state_->settings.max_queued, [&](const std::string& id) -> Status {
        if (secrets.empty()) return {};
        kept = id;
        return records.vault.put(id, secrets);
      });
  if (!inserted && !kept.empty()) records.vault.remove(kept);
  if (!inserted) return fail(inserted.error());
  if (!inserted->existed) announce(inserted->job.id);
  return inserted->job;
}

void JobQueue::announce(const std::string& id) {
  state_->records.logs.tell(id, state_event(JobState::queued));
  state_->workers.wake();
}

Result<proto::Job> JobQueue::retry(const std::string& id, const proto::Submitter& submitter) {
  JobRecords& records = state_->records;
  // Between the look and the new row the earlier job, and so its context, must not be forgotten.
  std::lock_guard born(records.birth);
  INGOT_TRY(auto earlier, records.table.find(id));
  if (!proto::is_final(earlier.state)) {
    return fail(ErrorKind::conflict,
                fmt::format("job {} is still {}; only a job that has ended can be repeated", earlier.id,
                            proto::name_of(earlier.state)),
                "`ingot cancel " + earlier.id + "` ends it");
  }
  proto::JobSpec spec = earlier.spec;
  spec.idempotency_key.clear();
  spec.locally = false;  // nobody stays to do it
  spec.ssh = false;
  INGOT_TRY(auto inserted, records.table.insert(spec, submitter, earlier.id, state_->settings.max_queued));
  announce(inserted.job.id);
  return inserted.job;
}

Result<proto::Job> JobQueue::cancel(const std::string& id) {
  JobRecords& records = state_->records;
  std::lock_guard born(records.birth);
  INGOT_TRY(auto before, records.table.find(id));
  INGOT_TRY(auto job, records.table.request_cancel(before.id));
  if (job.state != JobState::canceled) {
    state_->workers.cancel(job.id);
    return job;
  }
  // Only here does a job go from queued to canceled, and nobody else is here now.
  if (before.state == JobState::queued) records.count_end(job.state);
  records.end(job.id, job.spec, job.state, job.error);
  return job;
}

Result<proto::Job> JobQueue::find(const std::string& id) const {
  auto job = state_->records.table.find(id);
  if (job && job->state == JobState::running) job->phase = state_->workers.phase_of(job->id);
  return job;
}

Result<std::vector<proto::Job>> JobQueue::list(const JobFilter& filter) const {
  auto jobs = state_->records.table.list(filter);
  if (!jobs) return jobs;
  for (auto& job : *jobs) {
    if (job.state == JobState::running) job.phase = state_->workers.phase_of(job.id);
  }
  return jobs;
}

Result<std::vector<proto::StepReport>> JobQueue::steps(const std::string& id) const {
  INGOT_TRY(auto job, state_->records.table.find(id));
  return state_->records.steps.reports(job.id);
}

Result<std::vector<proto::ImageInfo>> JobQueue::images(std::size_t most) const {
  return state_->records.table.images(most);
}

Result<std::vector<proto::Artifact>> JobQueue::artifacts(const std::string& id) const {
  return state_->records.table.artifacts(id);
}

Result<LogReader> JobQueue::read_log(const std::string& id, std::uint64_t from_seq) const {
  INGOT_TRY(auto job, state_->records.table.find(id));
  if (!proto::is_final(job.state) || state_->records.logs.find(id)) return state_->records.logs.read(id, from_seq);
  // It may be given an end. Meanwhile the job is not forgotten, whose log would come back, and nobody else gives it
  // one.
  std::lock_guard born(state_->records.birth);
  INGOT_CHECK(state_->records.table.find(id));
  return state_->records.logs.read_ended(job, from_seq);
}

std::shared_ptr<JobLog> JobQueue::live_log(const std::string& id) const {
  auto job = state_->records.table.find(id);
  if (!job) return nullptr;
  // Final in the table, but its last event may still be on its way.
  if (proto::is_final(job->state)) return state_->records.logs.find(job->id);
  auto opened = state_->records.logs.open(job->id);
  // One that was canceled in the queue meanwhile ends nobody's log any more.
  const auto now = state_->records.table.find(id);
  if (opened && now && proto::is_final(now->state)) state_->records.logs.end(now->id, now->state, now->error);
  return opened ? *opened : nullptr;
}

std::uint64_t JobQueue::log_bytes() const {
  return state_->records.logs.bytes();
}

Result<proto::Artifact> JobQueue::remove_artifact(const std::string& job, const std::string& artifact) {
  return state_->retirement.remove_artifact(job, artifact);
}

Result<Retired> JobQueue::retire(const RetentionPolicy& policy) {
  return state_->retirement.retire(policy);
}

JobQueue::Counts JobQueue::counts() const {
  return state_->records.table.counts().value_or(Counts{});
}

const JobCounters& JobQueue::counters() const {
  return state_->records.counters;
}

}  // namespace ingot::jobs
