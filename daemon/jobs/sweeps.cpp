#include "daemon/jobs/sweeps.h"

#include <fmt/format.h>

#include "daemon/base/log.h"

namespace ingot::jobs {

namespace {

// A time limit is of hours; nobody misses these seconds.
constexpr auto kLookAgain = std::chrono::seconds(5);
// A registry that is down for a night is there again in the morning.
constexpr int kMostAttempts = 12;
constexpr std::chrono::seconds kLongestPause = std::chrono::minutes(10);

}  // namespace

void Sweeps::start(PublishImage publish) {
  publish_ = std::move(publish);
  auto active = table_.active();
  if (!active) base::log::error("sweeps: {}", active.error().message);
  for (const auto& sweep : active.value_or(std::vector<SweepTable::Active>())) settle(sweep.id);
  thread_ = std::thread([this] { work(); });
}

void Sweeps::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  stopping_.cancel();
  if (thread_.joinable()) thread_.join();
}

void Sweeps::submitted(const proto::Sweep& sweep) {
  base::log::info("sweep {} ({})", sweep.id, sweep.name);
  settle(sweep.id);
  hands_.wake();
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void Sweeps::job_ended(const std::string& job) {
  const auto sweep = table_.sweep_of(job);
  if (!sweep) return base::log::error("job {}: its sweep: {}", job, sweep.error().message);
  if (!sweep->empty()) settle(*sweep);
}

Status Sweeps::cancel(const std::string& id) {
  INGOT_TRY(const auto sweep, table_.find(id, false));
  INGOT_TRY(const auto settled, table_.cancel(sweep.id, "canceled", true));
  act(sweep.id, settled);
  return {};
}

void Sweeps::settle(const std::string& sweep) {
  const auto settled = table_.settle(sweep);
  if (!settled) return base::log::error("sweep {}: {}", sweep, settled.error().message);
  act(sweep, *settled);
}

void Sweeps::act(const std::string& sweep, const SweepTable::Settled& settled) {
  for (const auto& job : settled.canceled) hands_.forget(job);
  for (const auto& job : settled.to_cancel) hands_.cancel(job);
  if (settled.is_released) hands_.wake();
  if (proto::is_final(settled.state)) base::log::info("sweep {} {}", sweep, proto::name_of(settled.state));
  if (settled.state != proto::SweepState::publishing) return;
  const std::lock_guard lock(mutex_);
  to_publish_.insert(sweep);
  changed_.notify_all();
}

void Sweeps::work() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (!to_publish_.empty()) {
      const std::string sweep = *to_publish_.begin();
      to_publish_.erase(to_publish_.begin());
      lock.unlock();
      publish(sweep);
      lock.lock();
      continue;
    }
    lock.unlock();
    look_at_deadlines();
    lock.lock();
    changed_.wait_for(lock, kLookAgain, [this] { return stop_ || !to_publish_.empty(); });
  }
}

void Sweeps::look_at_deadlines() {
  const auto active = table_.active();
  if (!active) return;
  for (const auto& sweep : *active) {
    if (sweep.deadline_ms == 0 || clock_.unix_ms() < sweep.deadline_ms) continue;
    if (auto settled = table_.cancel(sweep.id, "it ran into its time limit (limits.time)", false))
      act(sweep.id, *settled);
  }
}

// All of them, however often the registry has to be asked: half of a sweep's tags would be what nobody built.
void Sweeps::publish(const std::string& sweep) {
  const auto images = table_.images_to_publish(sweep);
  Status outcome = images ? Status() : base::fail(images.error());
  std::size_t done = 0;
  auto pause = std::chrono::seconds(1);
  for (int attempt = 1; outcome && done < images->size();) {
    outcome = publish_((*images)[done].name, (*images)[done].digest, stopping_.token());
    if (outcome) {
      ++done;
      attempt = 1;
      pause = std::chrono::seconds(1);
      continue;
    }
    std::unique_lock lock(mutex_);
    if (stop_) return;  // the next daemon goes on
    if (outcome.error().kind == ErrorKind::denied || ++attempt > kMostAttempts) break;
    base::log::warning("sweep {}: {}; trying again in {} s", sweep, outcome.error().message, pause.count());
    changed_.wait_for(lock, pause, [this] { return stop_; });
    if (stop_) return;
    pause = std::min(pause * 2, kLongestPause);
    outcome = {};
  }
  if (!outcome) {
    auto error = outcome.error();
    error.message = fmt::format("{} of {} images are published: {}", done, images ? images->size() : 0, error.message);
    outcome = base::fail(std::move(error));
  }
  if (auto ended = table_.end_publishing(sweep, outcome); !ended) {
    base::log::error("sweep {}: {}", sweep, ended.error().message);
  }
}

}  // namespace ingot::jobs
