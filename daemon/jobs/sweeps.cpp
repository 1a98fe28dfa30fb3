#include "daemon/jobs/sweeps.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/log.h"

namespace ingot::jobs {

namespace {

// A time limit is of hours; nobody misses these seconds.
constexpr auto kLookAgain = std::chrono::seconds(5);
// A registry that is down for a night is there again in the morning.
constexpr std::int64_t kPatience_ms = 12 * 3'600'000LL;
constexpr std::int64_t kFirstPause_ms = 1000;
constexpr std::int64_t kLongestPause_ms = 600'000;

// Of these another attempt has the same end.
bool is_for_good(ErrorKind kind) {
  return kind == ErrorKind::denied || kind == ErrorKind::not_found || kind == ErrorKind::invalid;
}

}  // namespace

void Sweeps::start(PublishImage publish, std::function<void()> ended) {
  publish_ = std::move(publish);
  ended_ = std::move(ended);
  auto active = table_.active();
  if (!active) base::log::error("sweeps: {}", active.error().message);
  for (const auto& sweep : active.value_or(std::vector<SweepTable::Active>())) settle(sweep.id);
  threads_.emplace_back([this] { watch(); });
  threads_.emplace_back([this] { this->publish(); });
}

void Sweeps::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (auto& [sweep, state] : publishing_) state.cancel->cancel();
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Sweeps::submitted(const proto::Sweep& sweep) {
  base::log::info("sweep {} ({})", sweep.id, sweep.name);
  settle(sweep.id);
  hands_.wake();
  const std::lock_guard lock(mutex_);
  is_new_ = true;
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

// One that fails, such as on a full disk, is made up for by the next look.
void Sweeps::settle(const std::string& sweep) {
  const auto settled = table_.settle(sweep);
  if (!settled) return base::log::error("sweep {}: {}", sweep, settled.error().message);
  act(sweep, *settled);
}

void Sweeps::act(const std::string& sweep, const SweepTable::Settled& settled) {
  for (const auto& job : settled.canceled) hands_.forget(job);
  for (const auto& job : settled.to_cancel) hands_.cancel(job);
  if (settled.is_released) hands_.wake();
  if (proto::is_final(settled.state)) {
    base::log::info("sweep {} {}", sweep, proto::name_of(settled.state));
    ended_();
  }
  const std::lock_guard lock(mutex_);
  if (settled.state == proto::SweepState::publishing) {
    publishing_.try_emplace(sweep);
    changed_.notify_all();
  } else if (const auto found = publishing_.find(sweep); found != publishing_.end()) {
    found->second.cancel->cancel();
  }
}

void Sweeps::watch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const auto active = table_.active();
    const bool is_idle = active && active->empty();
    for (const auto& sweep : active.value_or(std::vector<SweepTable::Active>())) {
      if (sweep.deadline_ms == 0 || clock_.unix_ms() < sweep.deadline_ms) {
        settle(sweep.id);
      } else if (auto ended = table_.cancel(sweep.id, "it ran into its time limit (limits.time)", false)) {
        act(sweep.id, *ended);
      }
    }
    lock.lock();
    const auto woken = [this] { return stop_ || is_new_; };
    // An idle daemon wakes for nothing.
    if (is_idle) {
      changed_.wait(lock, woken);
    } else {
      changed_.wait_for(lock, kLookAgain, woken);
    }
    is_new_ = false;
  }
}

// One after another, whichever is due: one whose registry is down holds up nobody.
void Sweeps::publish() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto due = std::find_if(publishing_.begin(), publishing_.end(),
                                  [&](const auto& each) { return each.second.next_ms <= clock_.unix_ms(); });
    if (due == publishing_.end()) {
      if (publishing_.empty()) {
        changed_.wait(lock, [this] { return stop_ || !publishing_.empty(); });
      } else {
        changed_.wait_for(lock, std::chrono::milliseconds(kFirstPause_ms));
      }
      continue;
    }
    const std::string sweep = due->first;
    Publishing state = due->second;
    lock.unlock();
    publish_one(sweep, state);
    lock.lock();
    if (state.next_ms == 0) publishing_.erase(sweep);
    if (state.next_ms != 0) publishing_[sweep] = state;
  }
}

bool Sweeps::is_publishing(const std::string& sweep) const {
  const auto row = table_.find(sweep, false);
  return row && row->state == proto::SweepState::publishing;
}

// All of them, however often the registry has to be asked: half of a sweep's tags would be what nobody built. Leaves
// `next_ms` at 0 when there is nothing more to do.
void Sweeps::publish_one(const std::string& sweep, Publishing& state) {
  state.next_ms = 0;
  const auto images = table_.images_to_publish(sweep);
  Status outcome = images ? Status() : base::fail(images.error());
  const std::size_t all = images ? images->size() : 0;
  while (outcome && state.done < all) {
    if (state.cancel->token().canceled() || !is_publishing(sweep)) return;  // also for the next daemon to go on
    outcome = publish_((*images)[state.done], state.cancel->token());
    if (!outcome) break;
    ++state.done;
    state.failing_since_ms = 0;
  }
  if (!outcome && (state.cancel->token().canceled() || put_off(sweep, state, outcome.error()))) return;
  if (!outcome) {
    auto error = outcome.error();
    error.message = fmt::format("{} of {} images are published: {}", state.done, all, error.message);
    outcome = base::fail(std::move(error));
  }
  if (auto ended = table_.end_publishing(sweep, outcome); !ended) {
    base::log::error("sweep {}: {}", sweep, ended.error().message);  // the next look at it tries again
    return;
  }
  base::log::info("sweep {} {}", sweep, outcome ? "succeeded" : "failed");
  ended_();
}

bool Sweeps::put_off(const std::string& sweep, Publishing& state, const Error& error) {
  if (is_for_good(error.kind)) return false;
  const std::int64_t now = clock_.unix_ms();
  if (state.failing_since_ms == 0) {
    state.failing_since_ms = now;
    state.pause_ms = kFirstPause_ms;
  }
  if (now - state.failing_since_ms > kPatience_ms) return false;
  base::log::warning("sweep {}: {}; trying again in {} s", sweep, error.message, state.pause_ms / 1000);
  state.next_ms = now + state.pause_ms;
  state.pause_ms = std::min(state.pause_ms * 2, kLongestPause_ms);
  return true;
}

}  // namespace ingot::jobs
