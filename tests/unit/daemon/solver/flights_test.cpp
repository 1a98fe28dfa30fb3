#include "daemon/solver/flights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <thread>

namespace ingot::solver {
namespace {

// What one who waits was told.
class Passenger {
 public:
  FlightListener listener() {
    FlightListener made;
    made.started = [this] { ++started_; };
    made.output = [this](sys::Stream, std::string_view bytes) {
      std::lock_guard lock(mutex_);
      output_ += bytes;
      changed_.notify_all();
    };
    made.landed = [this](const Result<StepResult>& result) {
      std::lock_guard lock(mutex_);
      result_ = result;
      ++landings_;
      changed_.notify_all();
    };
    return made;
  }
  Result<StepResult> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }
  void wait_for_output(const std::string& text) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return output_.find(text) != std::string::npos; });
  }
  std::string output() {
    std::lock_guard lock(mutex_);
    return output_;
  }
  int landings() {
    std::lock_guard lock(mutex_);
    return landings_;
  }
  int started() const { return started_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> started_ = 0;
  std::string output_;
  std::optional<Result<StepResult>> result_;
  int landings_ = 0;
};

// A step that runs until the test lets it go, or it is canceled.
class SlowStep {
 public:
  Flights::Run run() {
    return [this](const Flights::Cockpit& cockpit) -> Result<StepResult> {
      ++runs;
      cockpit.started();
      cockpit.output(sys::Stream::out, "begun");
      while (!let_go && !cockpit.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (!let_go) {
        ++canceled;
        return base::fail(ErrorKind::canceled, "canceled");
      }
      cockpit.output(sys::Stream::out, ", ended");
      return StepResult{};
    };
  }
  std::atomic<bool> let_go = false;
  std::atomic<int> runs = 0;
  std::atomic<int> canceled = 0;
};

TEST(StepFlights, who_comes_late_is_told_all_and_it_runs_once) {
  Flights flights;
  SlowStep step;
  Passenger first;
  Passenger late;
  bool joined = true;
  auto seat = flights.join("k", step.run(), first.listener(), joined);
  EXPECT_FALSE(joined);
  first.wait_for_output("begun");
  auto late_seat = flights.join("k", step.run(), late.listener(), joined);
  EXPECT_TRUE(joined);
  EXPECT_EQ(late.output(), "begun");
  EXPECT_EQ(late.started(), 1);
  step.let_go = true;
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(late.wait());
  EXPECT_EQ(first.output(), "begun, ended");
  EXPECT_EQ(late.output(), "begun, ended");
  EXPECT_EQ(step.runs, 1);
}

TEST(StepFlights, one_that_leaves_ends_it_for_nobody_else_and_is_told_nothing_more) {
  Flights flights;
  SlowStep step;
  Passenger leaves;
  Passenger stays;
  bool joined = false;
  auto leaving = flights.join("k", step.run(), leaves.listener(), joined);
  auto staying = flights.join("k", step.run(), stays.listener(), joined);
  leaves.wait_for_output("begun");
  leaving.reset();
  step.let_go = true;
  EXPECT_TRUE(stays.wait());
  EXPECT_EQ(step.canceled, 0);
  EXPECT_EQ(leaves.output(), "begun");
  EXPECT_EQ(leaves.landings(), 0);
}

TEST(StepFlights, the_last_that_leaves_ends_it_and_waits_until_it_has_landed) {
  Flights flights;
  SlowStep step;
  Passenger one;
  Passenger two;
  bool joined = false;
  auto first = flights.join("k", step.run(), one.listener(), joined);
  auto second = flights.join("k", step.run(), two.listener(), joined);
  first.reset();
  EXPECT_EQ(step.canceled, 0);
  second.reset();
  EXPECT_EQ(step.canceled, 1);
  Passenger next;
  auto third = flights.join("k", step.run(), next.listener(), joined);
  EXPECT_FALSE(joined) << "nobody joins what is being ended";
  step.let_go = true;
  EXPECT_TRUE(next.wait());
}

TEST(StepFlights, a_failure_is_everybodys) {
  Flights flights;
  std::atomic<bool> let_go = false;
  const Flights::Run failing = [&](const Flights::Cockpit&) -> Result<StepResult> {
    while (!let_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::step_failed, "exit code 3");
  };
  Passenger one;
  Passenger two;
  bool joined = false;
  auto first = flights.join("k", failing, one.listener(), joined);
  auto second = flights.join("k", failing, two.listener(), joined);
  let_go = true;
  EXPECT_EQ(one.wait().error().message, "exit code 3");
  EXPECT_EQ(two.wait().error().message, "exit code 3");
}

TEST(StepFlights, what_throws_is_an_error) {
  Flights flights;
  Passenger one;
  bool joined = false;
  auto seat = flights.join(
      "k", [](const Flights::Cockpit&) -> Result<StepResult> { throw std::runtime_error("odd"); }, one.listener(),
      joined);
  EXPECT_EQ(one.wait().error().kind, ErrorKind::internal);
}

// Who runs what at this moment, by key.
class Airspace {
 public:
  using Tokens = std::list<sys::CancelToken>;
  // Counts an overlap when another of the same key is in the air and both are wanted. One's own switch is asked last:
  // had it been given up before, the other could have begun.
  Tokens::iterator enter(int key, const sys::CancelToken& own) {
    std::lock_guard lock(mutex_);
    Tokens& others = in_the_air_[key];
    const bool wanted = std::any_of(others.begin(), others.end(), [](const auto& other) { return !other.canceled(); });
    if (wanted && !own.canceled()) ++overlaps;
    return others.insert(others.end(), own);
  }
  void leave(int key, Tokens::iterator self) {
    std::lock_guard lock(mutex_);
    in_the_air_[key].erase(self);
  }
  std::atomic<int> overlaps = 0;

 private:
  std::mutex mutex_;
  std::map<int, Tokens> in_the_air_;
};

// Many threads join, leave, fail and try again by chance: never two of one key at a time that are both wanted, nobody
// is forgotten, and whoever stays to the end is told exactly one end, and all that the one run printed.
TEST(StepFlights, thousands_of_joins_cancels_failures_and_retries_at_random) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 400;
  constexpr int kKeys = 5;
  Airspace airspace;
  std::atomic<int> runs = 0;
  std::atomic<int> begun = 0;
  std::atomic<int> landed = 0;
  std::atomic<int> left = 0;
  std::atomic<int> retried = 0;
  {
    Flights flights;
    // What it printed is told apart from what any other run did.
    const auto run_of = [&](int key, std::chrono::microseconds length, bool fails) -> Flights::Run {
      return [&, key, length, fails](const Flights::Cockpit& cockpit) -> Result<StepResult> {
        const std::string number = std::to_string(++runs);
        const auto self = airspace.enter(key, cockpit.cancel);
        cockpit.started();
        cockpit.output(sys::Stream::out, number + " begins, ");
        std::this_thread::sleep_for(length);
        cockpit.output(sys::Stream::out, number + " ends");
        airspace.leave(key, self);
        if (cockpit.cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
        if (fails) return base::fail(ErrorKind::step_failed, number);
        return StepResult{};
      };
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(static_cast<unsigned>(t));
        for (int round = 0; round < kRounds; ++round) {
          const int key = static_cast<int>(random() % kKeys);
          for (bool again = true; again;) {
            again = false;
            Passenger passenger;
            bool joined = false;
            auto seat = flights.join(std::to_string(key),
                                     run_of(key, std::chrono::microseconds(random() % 300), random() % 4 == 0),
                                     passenger.listener(), joined);
            if (!joined) ++begun;
            if (random() % 3 == 0) {
              if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
              seat.reset();
              ++left;
              continue;
            }
            auto result = passenger.wait();
            EXPECT_TRUE(result || result.error().kind == ErrorKind::step_failed) << "canceled though somebody waited";
            seat.reset();
            EXPECT_EQ(passenger.landings(), 1);
            EXPECT_EQ(passenger.started(), 1);
            const std::string output = passenger.output();
            const std::string number = output.substr(0, output.find(' '));
            EXPECT_EQ(output, number + " begins, " + number + " ends");
            EXPECT_EQ(result ? number : result.error().message, number);
            ++landed;
            again = !result;
            retried += again ? 1 : 0;
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(airspace.overlaps, 0);
  EXPECT_EQ(landed + left, kThreads * kRounds + retried);
  EXPECT_EQ(runs, begun) << "whoever did not join began one, and nothing else did";
  EXPECT_LT(runs, landed + left);
  EXPECT_GT(retried, 100);
}

// Who wants the same next must not wait for what never flies.
TEST(Flights, one_that_no_thread_can_be_had_for_fails_and_is_not_joined) {
  pthread_attr_t usual;
  pthread_attr_t huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_getattr_default_np(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, std::size_t{1} << 46U), 0);
  Flights flights;
  Passenger first;
  Passenger second;
  bool joined = false;
  const auto run = [](const Flights::Cockpit&) -> Result<StepResult> { return StepResult{}; };
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  auto seat = flights.join("same", run, first.listener(), joined);
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  EXPECT_FALSE(joined);
  const auto failed = first.wait();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
  const auto other = flights.join("same", run, second.listener(), joined);
  EXPECT_FALSE(joined);
  EXPECT_TRUE(second.wait());
}

}  // namespace
}  // namespace ingot::solver
