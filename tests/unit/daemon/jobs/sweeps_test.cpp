#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "tests/support/fakes.h"
#include "tests/unit/daemon/jobs/sweep_fixture.h"

namespace ingot::jobs {
namespace {

using fixture::kMe;
using fixture::kOther;
using fixture::spec;
using fixture::sweep_of;
using SweepsTest = fixture::SweepFixture;
using proto::JobState;
using proto::SweepState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SweepsTest, is_one_thing_with_one_verdict) {
  open();
  const auto submitted = submit_sweep(sweep_of(3));
  EXPECT_EQ(submitted.counts.at("queued"), 3U);
  queue->start(recorder());
  const auto sweep = ended(submitted.id);
  EXPECT_EQ(sweep.state, SweepState::succeeded);
  EXPECT_EQ(sweep.counts, (std::map<std::string, std::uint64_t>{{"succeeded", 3}}));
  EXPECT_THAT(order, ElementsAre("+c1", "+c2", "+c3"));
  ASSERT_EQ(sweep.cells.size(), 3U);
  EXPECT_EQ(sweep.cells[1].name, "2");
  const auto job = queue->find(sweep.cells[1].job);
  EXPECT_EQ(job->sweep, sweep.id);
  EXPECT_EQ(job->cell, "2");
  EXPECT_EQ(job->spec.args.at("V"), "2");
  EXPECT_THAT(*queue->read_log(job->id, 0)->read(), testing::StartsWith("{\"seq\":0"));
}

TEST_F(SweepsTest, a_red_cell_makes_it_red_and_can_be_repeated_alone) {
  open();
  queue->start(recorder({"+c2"}));
  const auto sweep = ended(submit_sweep(sweep_of(3)).id);
  EXPECT_EQ(sweep.state, SweepState::failed);
  EXPECT_EQ(sweep.cells[1].error->message, "it broke");
  const auto again = queue->retry_sweep(sweep.id, true, kOther, {});
  ASSERT_TRUE(again) << again.error().message;
  const auto repeated = ended(sweep.id);
  EXPECT_EQ(repeated.cells[0].job, sweep.cells[0].job) << "what was green is left alone";
  EXPECT_NE(repeated.cells[1].job, sweep.cells[1].job);
  EXPECT_EQ(queue->find(repeated.cells[1].job)->retry_of, sweep.cells[1].job);
  EXPECT_EQ(queue->find(repeated.cells[1].job)->submitter.user, "other") << "who asked for it";
}

TEST_F(SweepsTest, there_is_nothing_to_repeat_of_a_green_one_nor_of_one_that_runs) {
  open();
  const auto sweep = submit_sweep(sweep_of(1));
  EXPECT_EQ(queue->retry_sweep(sweep.id, true, kOther, {}).error().kind, ErrorKind::conflict);
  queue->start(recorder());
  ended(sweep.id);
  EXPECT_THAT(queue->retry_sweep(sweep.id, true, kOther, {}).error().message, HasSubstr("has no cell to repeat"));
}

TEST_F(SweepsTest, the_same_one_is_not_queued_twice_while_it_runs) {
  open();
  auto spec = sweep_of(2);
  spec.idempotency_key = "a";
  const auto first = submit_sweep(spec);
  spec.idempotency_key = "b";
  const auto second = submit_sweep(spec);
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.existed);
  EXPECT_EQ(queue->counts().queued, 2U);
  EXPECT_NE(submit_sweep(spec, kOther).id, first.id) << "what others submit is theirs";
  auto changed = sweep_of(3);
  changed.idempotency_key = "a";
  EXPECT_EQ(queue->submit_sweep(changed, kMe, {}).error().kind, ErrorKind::conflict);
  queue->start(recorder());
  ended(first.id);
  spec.idempotency_key = "c";
  EXPECT_NE(submit_sweep(spec).id, first.id) << "once it has ended it may be run again";
}

TEST_F(SweepsTest, all_cells_are_queued_or_none) {
  if (!have_secrets()) GTEST_SKIP() << "there is no memory to keep secrets in";
  std::ofstream(memory->path() / "secrets") << "in the place of the directory of secrets";
  open();
  const auto refused = queue->submit_sweep(sweep_of(3), kMe, {{"TOKEN", "x"}});
  EXPECT_FALSE(refused);
  EXPECT_EQ(queue->counts().queued, 0U);
  EXPECT_THAT(*queue->sweeps(10), IsEmpty());
}

TEST_F(SweepsTest, cells_wait_for_the_base_and_stop_with_it) {
  open(4);
  auto with_base = sweep_of(3);
  with_base.job.target = "+base";
  const auto good = submit_sweep(with_base);
  queue->start(recorder({"+broken"}));
  EXPECT_EQ(ended(good.id).state, SweepState::succeeded);
  EXPECT_EQ(order.front(), "+base");
  EXPECT_THAT(order, testing::SizeIs(4));

  with_base.job.target = "+broken";
  const auto bad = ended(submit_sweep(with_base).id);
  EXPECT_EQ(bad.state, SweepState::failed);
  EXPECT_EQ(bad.reason, "the base failed");
  EXPECT_EQ(bad.counts.at("canceled"), 3U);
  EXPECT_THAT(order, testing::SizeIs(5)) << "no cell was run";
}

TEST_F(SweepsTest, stops_after_so_many_failures) {
  open();
  auto spec = sweep_of(10);
  spec.stop_after = 2;
  const auto submitted = submit_sweep(spec);
  queue->start(recorder({"+c2", "+c4", "+c6"}));
  const auto sweep = ended(submitted.id);
  EXPECT_EQ(sweep.state, SweepState::failed);
  EXPECT_EQ(sweep.reason, "stopped after 2 failures");
  EXPECT_EQ(sweep.counts, (std::map<std::string, std::uint64_t>{{"succeeded", 2}, {"failed", 2}, {"canceled", 6}}));
  EXPECT_EQ(sweep.cells[9].error->message, "stopped after 2 failures");
}

TEST_F(SweepsTest, stops_when_what_it_made_is_too_much) {
  open();
  auto spec = sweep_of(5);
  spec.disk_bytes = 1500;
  const auto submitted = submit_sweep(spec);
  queue->start([](JobRun& run) {
    proto::Artifact artifact;
    artifact.name = "x";
    artifact.digest = "sha256:" + std::string(64, 'b');
    artifact.size = 1000;
    return run.add_artifacts({artifact});
  });
  const auto sweep = ended(submitted.id);
  EXPECT_EQ(sweep.state, SweepState::failed);
  EXPECT_THAT(sweep.reason, HasSubstr("limits.disk allows"));
  EXPECT_EQ(sweep.counts.at("succeeded"), 2U);
  EXPECT_EQ(sweep.cells[0].bytes, 1000U);
}

TEST_F(SweepsTest, has_no_more_running_than_it_wants) {
  open(4);
  auto spec = sweep_of(8);
  spec.parallel = 2;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto submitted = submit_sweep(spec);
  queue->start([&](JobRun&) -> Status {
    const int now = ++running;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    --running;
    return {};
  });
  EXPECT_EQ(ended(submitted.id).state, SweepState::succeeded);
  EXPECT_EQ(most, 2);
}

// Of equal priority they take turns.
TEST_F(SweepsTest, two_of_them_and_single_jobs_have_equal_shares) {
  open();
  const auto first = submit_sweep(sweep_of(3, "first"));
  auto later = sweep_of(3, "second");
  for (auto& cell : later.cells) cell.target = "+later" + cell.name;
  const auto second = submit_sweep(later, kOther);
  submit(spec("+s1"));
  submit(spec("+s2"));
  queue->start(recorder());
  ended(first.id);
  ended(second.id);
  EXPECT_THAT(order, ElementsAre("+s1", "+c1", "+later1", "+s2", "+c2", "+later2", "+c3", "+later3"));
}

TEST_F(SweepsTest, what_has_a_higher_priority_goes_before_them_all) {
  open();
  auto urgent = sweep_of(2);
  for (auto& cell : urgent.cells) cell.priority = 5;
  urgent.cells[0].target = "+u1";
  urgent.cells[1].target = "+u2";
  submit(spec("+single"));
  submit(spec("+more", 9));
  const auto sweep = submit_sweep(urgent);
  queue->start(recorder());
  ended(sweep.id);
  EXPECT_EQ((std::vector<std::string>{order[0], order[1], order[2]}),
            (std::vector<std::string>{"+more", "+u1", "+u2"}));
}

// Cells may take hours.
TEST_F(SweepsTest, a_single_job_runs_beside_the_cells_that_have_all_workers) {
  open(2);
  const auto sweep = submit_sweep(sweep_of(2));
  std::atomic<bool> go = false;
  std::atomic<int> begun = 0;
  queue->start([&](JobRun& run) -> Status {
    ++begun;
    while (!go && !run.job.sweep.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {};
  });
  while (begun < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(wait(submit(spec("+single"))).state, JobState::succeeded);
  go = true;
  ended(sweep.id);
}

TEST_F(SweepsTest, canceled_it_ends_what_waits_and_what_runs) {
  open();
  const auto sweep = submit_sweep(sweep_of(3));
  std::atomic<bool> begun = false;
  queue->start([&](JobRun& run) -> Status {
    begun = true;
    while (!run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::canceled, "canceled");
  });
  while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(queue->cancel_sweep(sweep.id));
  const auto canceled = ended(sweep.id);
  EXPECT_EQ(canceled.state, SweepState::canceled);
  EXPECT_EQ(canceled.counts, (std::map<std::string, std::uint64_t>{{"canceled", 3}}));
  EXPECT_THAT(*queue->read_log(canceled.cells[2].job, 0)->read(), HasSubstr("canceled"));
  EXPECT_EQ(queue->cancel_sweep(sweep.id).error().kind, ErrorKind::conflict);
}

TEST_F(SweepsTest, its_time_limit_ends_it) {
  test::FakeClock clock;
  open(1, clock);
  auto spec = sweep_of(2);
  spec.time_seconds = 60;
  const auto sweep = submit_sweep(spec);
  clock.advance(std::chrono::seconds(61));
  queue->start([&](JobRun& run) -> Status {
    while (!run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::canceled, "canceled");
  });
  const auto done = ended(sweep.id);
  EXPECT_EQ(done.state, SweepState::failed) << "nobody asked for it";
  EXPECT_THAT(done.reason, HasSubstr("limits.time"));
}

TEST_F(SweepsTest, goes_on_where_it_was_when_the_daemon_is_another_one) {
  open();
  auto spec = sweep_of(3);
  spec.job.target = "+base";
  const auto sweep = submit_sweep(spec);
  queue->start(recorder());
  // Killed between a job's last row and what follows from it: the new daemon settles it.
  ended(sweep.id);
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto undo, database->prepare("UPDATE sweeps SET state = 'running', finished_ms = NULL, held = 1"));
    return undo.run();
  }));
  open();
  queue->start(recorder());
  EXPECT_EQ(ended(sweep.id).state, SweepState::succeeded);
}

TEST_F(SweepsTest, one_that_was_full_can_be_repeated_when_it_makes_less) {
  open();
  auto spec = sweep_of(3);
  spec.disk_bytes = 1500;
  const auto submitted = submit_sweep(spec);
  std::atomic<std::uint64_t> size = 1000;
  queue->start([&](JobRun& run) {
    proto::Artifact artifact;
    artifact.name = "x";
    artifact.digest = "sha256:" + std::string(64, 'b');
    artifact.size = size;
    return run.add_artifacts({artifact});
  });
  EXPECT_EQ(ended(submitted.id).state, SweepState::failed);
  const auto refused = queue->retry_sweep(submitted.id, true, kMe, {});
  ASSERT_FALSE(refused) << "what is green is too much already";
  EXPECT_THAT(refused.error().message, HasSubstr("limits.disk allows"));
  size = 100;
  ASSERT_TRUE(queue->retry_sweep(submitted.id, false, kMe, {}));
  EXPECT_EQ(ended(submitted.id).state, SweepState::succeeded);
}

TEST_F(SweepsTest, is_not_repeated_while_an_equal_one_runs) {
  open();
  const auto first = submit_sweep(sweep_of(2));
  ASSERT_TRUE(queue->cancel_sweep(first.id));
  const auto second = submit_sweep(sweep_of(2));
  ASSERT_NE(second.id, first.id);
  const auto refused = queue->retry_sweep(first.id, true, kMe, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr(second.id));
}

TEST_F(SweepsTest, tells_from_earlier_runs_what_cells_will_take) {
  open();
  const auto submitted = submit_sweep(sweep_of(2));
  queue->start(recorder({"+c2"}));
  ended(submitted.id);
  auto next = sweep_of(3);
  next.cells[0].args["MORE"] = "1";
  const auto forecasts = queue->forecast(next);
  ASSERT_TRUE(forecasts);
  EXPECT_TRUE((*forecasts)[0].is_known);
  EXPECT_FALSE((*forecasts)[0].is_unchanged) << "it has another argument";
  EXPECT_FALSE((*forecasts)[1].is_known) << "it failed";
  EXPECT_FALSE((*forecasts)[2].is_known);
  EXPECT_TRUE(queue->forecast(sweep_of(1))->front().is_unchanged);
}

// Jobs are given up for their age; what a sweep came to is told for as long as it is kept.
TEST_F(SweepsTest, a_cell_outlives_its_job) {
  test::FakeClock clock;
  open(1, clock);
  const auto submitted = submit_sweep(sweep_of(1));
  queue->start(recorder());
  const auto sweep = ended(submitted.id);
  wait(sweep.cells[0].job);
  wait(submit(spec("+later")));
  clock.advance(std::chrono::hours(1));
  RetentionPolicy policy;
  policy.max_jobs = 1;
  policy.jobs_ms = 0;
  ASSERT_TRUE(queue->retire(policy));
  EXPECT_FALSE(queue->find(sweep.cells[0].job));
  EXPECT_EQ(queue->find_sweep(sweep.id, true)->cells[0].state, JobState::succeeded);
  policy.jobs_ms = 1000;
  ASSERT_TRUE(queue->retire(policy));
  EXPECT_EQ(queue->find_sweep(sweep.id, true).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace ingot::jobs
