#include "daemon/schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::schedule {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The fake clock begins on 14 November 2023 at 22:13:20 UTC.
constexpr std::int64_t kMidnight_ms = 1'700'006'400'000;
constexpr std::int64_t kHour_ms = 3'600'000;

class SchedulerTest : public testing::Test {
 protected:
  void SetUp() override { scheduler = make(); }
  std::unique_ptr<Scheduler> make() {
    Scheduler::Hands hands;
    hands.submit = [this](const Plan& plan, const std::string& key,
                          const sys::CancelToken& cancel) -> Result<std::string> {
      while (is_slow && !cancel.canceled()) std::this_thread::sleep_for(1ms);
      if (cancel.canceled()) return base::fail(ErrorKind::canceled, "the daemon ends");
      if (!refusal.empty()) return base::fail(refusal_kind, refusal, "mend it");
      const auto [known, is_new] = by_key.try_emplace(key, plan.name + "-" + std::to_string(by_key.size() + 1));
      if (is_new)
        submitted.push_back(known->second + "@" + std::to_string((clock.unix_ms() - kMidnight_ms) / kHour_ms));
      return known->second;
    };
    hands.is_over = [this](const std::string& sweep) -> Result<bool> {
      if (forgotten.contains(sweep)) return base::fail(ErrorKind::not_found, "there is no such sweep");
      return !running.contains(sweep);
    };
    hands.tell_problem = [this](const Plan& plan, const std::string& problem) {
      told.push_back(plan.name + ": " + problem);
    };
    return std::make_unique<Scheduler>(ScheduleTable(*database), clock, std::move(hands));
  }
  static Plan plan(const std::string& name, const std::string& cron) {
    return {name, "/srv/edge/sweep.yaml", cron, Cron::parse(cron).value(), "Etc/UTC", 0};
  }
  proto::Schedule shown(const std::string& name) {
    const auto all = scheduler->list().value();
    for (const auto& each : all) {
      if (each.name == name) return each;
    }
    return {};
  }
  // Midnight of the first day is 0.
  void advance_to_hour(std::int64_t hour) {
    clock.advance(std::chrono::milliseconds(kMidnight_ms + hour * kHour_ms - clock.unix_ms()));
  }

  test::TempDirectory directory;
  test::FakeClock clock;
  std::unique_ptr<db::Database> database = db::Database::open(directory.path() / "db").value();
  std::map<std::string, std::string> by_key;
  std::vector<std::string> submitted;  // SWEEP@HOUR
  std::vector<std::string> told;       // of problems
  std::atomic<bool> is_slow = false;   // a submission goes on until it is canceled
  std::set<std::string> running;
  std::set<std::string> forgotten;
  std::string refusal;
  ErrorKind refusal_kind = ErrorKind::invalid;
  std::unique_ptr<Scheduler> scheduler;
};

TEST_F(SchedulerTest, runs_at_its_times_and_sleeps_between_them) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  EXPECT_EQ(scheduler->look(), 1min) << "a clock may be set meanwhile";
  advance_to_hour(2);
  clock.advance(-10s);
  EXPECT_EQ(scheduler->look(), 10s);
  EXPECT_THAT(submitted, IsEmpty());
  advance_to_hour(2);
  scheduler->look();
  scheduler->look();
  advance_to_hour(26);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2", "nightly-2@26"));
  EXPECT_EQ(shown("nightly").sweep, "nightly-2");
  EXPECT_EQ(shown("nightly").ran_ms, kMidnight_ms + 26 * kHour_ms);
  EXPECT_EQ(shown("nightly").next_ms, kMidnight_ms + 50 * kHour_ms);
}

TEST_F(SchedulerTest, without_schedules_there_is_nothing_to_wait_for) {
  ASSERT_TRUE(scheduler->set_plans({}));
  EXPECT_EQ(scheduler->look(), std::nullopt);
}

TEST_F(SchedulerTest, a_downtime_is_made_up_for_once) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(24 * 7 + 12);
  scheduler = make();
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  scheduler->look();
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@180"));
  EXPECT_EQ(shown("nightly").next_ms, kMidnight_ms + (24 * 8 + 2) * kHour_ms);
}

// The daemon was killed between the sweep's row and the schedule's.
TEST_F(SchedulerTest, the_same_time_is_never_submitted_twice) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  const auto before = ScheduleTable(*database).find("nightly").value();
  advance_to_hour(2);
  scheduler->look();
  ASSERT_TRUE(ScheduleTable(*database).put("nightly", *before));
  scheduler = make();
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(3);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2"));
  EXPECT_EQ(shown("nightly").sweep, "nightly-1");
}

TEST_F(SchedulerTest, a_sweep_that_still_runs_is_not_overlapped) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(2);
  scheduler->look();
  running.insert("nightly-1");
  advance_to_hour(26);
  scheduler->look();
  EXPECT_THAT(shown("nightly").problem, HasSubstr("sweep nightly-1 of the last time has not ended"));
  EXPECT_EQ(shown("nightly").sweep, "nightly-1");
  running.clear();
  advance_to_hour(50);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2", "nightly-2@50"));
  EXPECT_EQ(shown("nightly").problem, "");
}

TEST_F(SchedulerTest, a_sweep_that_is_forgotten_is_over) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(2);
  scheduler->look();
  forgotten.insert("nightly-1");
  advance_to_hour(26);
  scheduler->look();
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(SchedulerTest, what_cannot_be_submitted_is_told_and_tried_at_the_next_time) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  refusal = "sweep.yaml:3:1: there is no key \"axis\"";
  advance_to_hour(2);
  scheduler->look();
  scheduler->look();
  EXPECT_THAT(shown("nightly").problem, HasSubstr("there is no key"));
  EXPECT_THAT(told, ElementsAre(HasSubstr("nightly: sweep.yaml:3:1: there is no key")));
  EXPECT_EQ(shown("nightly").sweep, "");
  refusal.clear();
  advance_to_hour(3);
  scheduler->look();
  EXPECT_THAT(submitted, IsEmpty());
  advance_to_hour(26);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@26"));
}

TEST_F(SchedulerTest, a_queue_without_room_is_asked_again_until_it_has_some) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  refusal = "the queue has no room";
  refusal_kind = ErrorKind::unavailable;
  advance_to_hour(2);
  EXPECT_EQ(scheduler->look(), 1min);
  EXPECT_THAT(shown("nightly").problem, HasSubstr("no room"));
  clock.advance(1min);
  scheduler->look();
  EXPECT_EQ(told.size(), 1U) << "once";
  refusal.clear();
  clock.advance(1min);
  scheduler->look();
  EXPECT_EQ(shown("nightly").next_ms, kMidnight_ms + 26 * kHour_ms);
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2"));
  EXPECT_EQ(shown("nightly").problem, "");
}

TEST_F(SchedulerTest, what_the_end_of_the_daemon_cut_short_is_done_by_the_next_one) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  refusal = "canceled";
  refusal_kind = ErrorKind::canceled;
  advance_to_hour(2);
  scheduler->look();
  refusal.clear();
  scheduler = make();
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2"));
}

// By a second that is shown twice nothing is done twice, and by a year that was wrong no year is waited for.
TEST_F(SchedulerTest, a_clock_may_be_put_back) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(2);
  scheduler->look();
  clock.advance(-5s);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@2"));
  advance_to_hour(24 * 365);
  scheduler->look();
  advance_to_hour(3);
  scheduler->look();
  EXPECT_EQ(shown("nightly").next_ms, kMidnight_ms + 26 * kHour_ms);
}

TEST_F(SchedulerTest, what_passes_during_a_pause_is_not_made_up_for) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  ASSERT_TRUE(scheduler->pause("nightly", true)->is_paused);
  advance_to_hour(26);
  EXPECT_EQ(scheduler->look(), std::nullopt);
  scheduler = make();  // a pause outlives the daemon
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  EXPECT_TRUE(shown("nightly").is_paused);
  EXPECT_EQ(shown("nightly").next_ms, 0);
  ASSERT_FALSE(scheduler->pause("nightly", false)->is_paused);
  scheduler->look();
  EXPECT_THAT(submitted, IsEmpty());
  advance_to_hour(50);
  scheduler->look();
  EXPECT_THAT(submitted, ElementsAre("nightly-1@50"));
}

// Nor are the times that a schedule would have had, had it been another one.
TEST_F(SchedulerTest, other_times_begin_when_they_are_given) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  advance_to_hour(1);
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 0 * * *")}));
  scheduler->look();
  EXPECT_THAT(submitted, IsEmpty());
  ASSERT_TRUE(scheduler->set_plans({}));
  advance_to_hour(49);
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 0 * * *")}));
  scheduler->look();
  EXPECT_THAT(submitted, IsEmpty());
}

TEST_F(SchedulerTest, by_hand_it_runs_at_once_but_not_beside_itself) {
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  EXPECT_EQ(scheduler->run("nightly")->sweep, "nightly-1");
  running.insert("nightly-1");
  clock.advance(1s);
  const auto again = scheduler->run("nightly");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_THAT(again.error().hint, HasSubstr("ingot sweep wait nightly-1"));
  EXPECT_EQ(shown("nightly").problem, "") << "who asked is told, and nobody else";
  EXPECT_EQ(shown("nightly").next_ms, kMidnight_ms + 2 * kHour_ms);
  EXPECT_THAT(scheduler->run("nihgtly").error().hint, HasSubstr("nightly"));
}

TEST_F(SchedulerTest, a_jitter_puts_schedules_of_one_time_apart_and_is_the_same_every_time_it_is_asked) {
  auto first = plan("a", "0 2 * * *");
  auto second = plan("b", "0 2 * * *");
  first.jitter_seconds = second.jitter_seconds = 3600;
  ASSERT_TRUE(scheduler->set_plans({first, second}));
  const auto due = shown("a").next_ms;
  EXPECT_EQ(shown("a").next_ms, due);
  EXPECT_NE(shown("b").next_ms, due);
  EXPECT_GE(due, kMidnight_ms + 2 * kHour_ms);
  EXPECT_LT(due, kMidnight_ms + 3 * kHour_ms);
  advance_to_hour(2);
  clock.advance(std::chrono::milliseconds(due - clock.unix_ms() - 1));
  scheduler->look();
  EXPECT_THAT(submitted, testing::Not(testing::Contains("a-1@2")));
  clock.advance(1ms);
  scheduler->look();
  EXPECT_THAT(submitted, testing::Contains(HasSubstr("a-")));
}

// While a project is being sent, everything else goes on.
TEST_F(SchedulerTest, a_slow_submission_holds_up_nothing_and_ends_with_the_daemon) {
  const auto soon = [&](const auto& condition) {
    for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
    return condition();
  };
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *"), plan("weekly", "0 3 * * *")}));
  is_slow = true;
  scheduler->start();
  advance_to_hour(2);
  ASSERT_TRUE(scheduler->pause("weekly", true));  // which wakes it
  ASSERT_TRUE(soon([&] { return shown("nightly").is_submitting; }));
  EXPECT_EQ(scheduler->run("nightly").error().kind, ErrorKind::conflict);
  ASSERT_TRUE(scheduler->pause("nightly", true));
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  scheduler->stop();
  EXPECT_TRUE(shown("nightly").is_paused);
  EXPECT_EQ(shown("nightly").ran_ms, 0) << "it is left to the next daemon";

  is_slow = false;
  scheduler = make();
  ASSERT_TRUE(scheduler->set_plans({plan("nightly", "0 2 * * *")}));
  scheduler->start();
  ASSERT_TRUE(scheduler->run("nightly"));
  EXPECT_TRUE(soon([&] { return shown("nightly").sweep == "nightly-1" && !shown("nightly").is_submitting; }));
  scheduler->stop();
}

// Over the change of daylight saving in Berlin, with a clock that moves by half an hour: once a night.
TEST_F(SchedulerTest, every_night_has_one_sweep_whatever_clocks_are_put_to) {
  auto nightly = plan("nightly", "30 2 * * *");
  nightly.time_zone = "Europe/Berlin";
  constexpr std::int64_t kFirstOfMarch2024_ms = 1'709'251'200'000;
  clock.advance(std::chrono::milliseconds(kFirstOfMarch2024_ms - clock.unix_ms()));
  ASSERT_TRUE(scheduler->set_plans({nightly}));
  constexpr int kDays = 31 + 214 + 30;  // past the change of October
  for (int i = 0; i < kDays * 48; ++i) {
    clock.advance(30min);
    scheduler->look();
  }
  EXPECT_EQ(submitted.size(), static_cast<std::size_t>(kDays));
}

TEST_F(SchedulerTest, a_plan_that_cannot_work_is_told) {
  const auto complaint = [](const Plan& plan) {
    const auto right = check_plan(plan);
    return right ? "" : right.error().message;
  };
  EXPECT_EQ(complaint(plan("nightly", "0 2 * * *")), "");
  EXPECT_THAT(complaint(plan("ni/ght", "0 2 * * *")), HasSubstr("`name`"));
  EXPECT_THAT(complaint(plan("", "0 2 * * *")), HasSubstr("`name`"));
  auto relative = plan("nightly", "0 2 * * *");
  relative.file = "sweep.yaml";
  EXPECT_THAT(complaint(relative), HasSubstr("absolute path"));
  EXPECT_THAT(complaint(plan("nightly", "0 2 31 2 *")), HasSubstr("no day is as"));
  auto late = plan("often", "*/30 * * * *");
  late.jitter_seconds = 1800;
  EXPECT_THAT(complaint(late), HasSubstr("as long as the time between two of its times"));
  late.jitter_seconds = 1799;
  EXPECT_EQ(complaint(late), "");
  EXPECT_THAT(complaint({"nightly", "/a", "", {}, "", 0}), HasSubstr("needs a `cron` expression"));
}

}  // namespace
}  // namespace ingot::schedule
