#include "daemon/jobs/job_retirement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "daemon/jobs/job_queue.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

using proto::JobState;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kDay = 86'400'000;

class JobRetirementTest : public testing::Test {
 protected:
  JobRetirementTest()
      : database(*db::Database::open(directory / "x.db")),
        queue(*JobQueue::open(*database, directory / "logs", {}, clock)) {}

  // A job that made one artifact and has ended.
  std::string ended(const std::string& target = "+a") {
    const std::string id = waiting(target);
    if (!started) {
      started = true;
      queue->start([this](JobRun& run) -> Status {
        while (hold && run.job.spec.target == "+slow") std::this_thread::sleep_for(std::chrono::milliseconds(1));
        proto::Artifact artifact;
        artifact.name = "out";
        artifact.digest = "sha256:" + std::string(64, 'b');
        artifact.size = 3;
        INGOT_CHECK(run.add_artifacts({artifact}));
        StepRecord step;
        step.number = 1;
        step.target = run.job.spec.target;
        step.text = "RUN x";
        step.how = "executed";
        step.parts = {{"command", "1234"}};
        return run.record_steps({step});
      });
    }
    wait(id);
    return id;
  }
  void wait(const std::string& id) {
    wait_until([&] { return proto::is_final(queue->find(id)->state) && !queue->live_log(id); });
  }
  template <typename Condition>
  static void wait_until(Condition condition) {
    for (int i = 0; i < 10'000; ++i) {
      if (condition()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "waited in vain";
  }
  std::string waiting(const std::string& target) {
    proto::JobSpec spec;
    spec.context = "sha256:" + std::string(64, 'a');
    spec.target = target;
    spec.labels = {{"team", "edge"}};
    return queue->submit(spec, {1000, 1000, "me"})->id;
  }
  void days(int count) { clock.advance(std::chrono::hours(24) * count); }
  // A worker lets go of a job a moment after it has ended: until so many went, or for a while when none should.
  Retired retire(const RetentionPolicy& policy, std::uint64_t expected = 0) {
    Retired all;
    for (int i = 0; i < (expected > 0 ? 1000 : 10); ++i) {
      auto retired = queue->retire(policy);
      EXPECT_TRUE(retired) << retired.error().message;
      if (!retired) return all;
      all.jobs += retired->jobs;
      all.logs += retired->logs;
      all.artifacts += retired->artifacts;
      if (expected > 0 && all.jobs + all.logs + all.artifacts >= expected) return all;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return all;
  }
  std::vector<std::string> known() {
    std::vector<std::string> ids;
    const auto jobs = *queue->list({});
    for (const auto& job : jobs) ids.push_back(job.id);
    return ids;
  }
  std::int64_t count(const std::string& table) {
    std::int64_t rows = -1;
    EXPECT_TRUE(database->read([&]() -> Status {
      INGOT_TRY(auto query, database->prepare("SELECT count(*) FROM " + table));
      INGOT_CHECK(query.step());
      rows = query.number(0);
      return {};
    }));
    return rows;
  }
  std::string log_of(const std::string& id) { return directory / "logs" / (id + ".ndjson"); }

  test::TempDirectory directory;
  test::FakeClock clock;
  std::unique_ptr<db::Database> database;
  std::atomic<bool> hold{true};
  bool started = false;
  std::unique_ptr<JobQueue> queue;
};

TEST_F(JobRetirementTest, what_is_old_goes_with_all_that_is_its_own) {
  const std::string old = ended();
  const std::string again = queue->retry(old, {})->id;
  wait(again);
  days(2);
  const std::string fresh = ended();
  EXPECT_EQ(queue->find(again)->retry_of, old);
  days(1);
  EXPECT_EQ(retire({2 * kDay, 0, 0, 0}, 2).jobs, 2U);
  EXPECT_THAT(known(), ElementsAre(fresh));
  EXPECT_FALSE(std::filesystem::exists(log_of(old)));
  EXPECT_TRUE(std::filesystem::exists(log_of(fresh)));
  for (const char* table : {"jobs", "job_labels", "artifacts", "job_steps", "step_parts", "loose_blobs"}) {
    EXPECT_EQ(count(table), 1) << table;
  }
  EXPECT_EQ(queue->log_bytes(), sys::disk_bytes(std::filesystem::file_size(log_of(fresh))));
  EXPECT_EQ(retire({1, 0, 0, 0}, 1).jobs, 1U);
  EXPECT_EQ(count("step_parts"), 0) << "parts of nobody's steps";
  EXPECT_EQ(queue->log_bytes(), 0U);
}

TEST_F(JobRetirementTest, what_waits_or_runs_is_never_touched) {
  const std::string first = ended();
  const std::string running = waiting("+slow");
  wait_until([&] { return queue->find(running)->state == JobState::running; });
  const std::string second = waiting("+slow");
  const std::string third = waiting("+slow");
  days(1000);
  EXPECT_EQ(retire({1, 1, 1, 1}, 1).jobs, 1U);
  EXPECT_THAT(known(), ElementsAre(third, second, running));
  EXPECT_THAT(test::slurp(log_of(third)), HasSubstr("queued"));
  auto refused = queue->remove_artifact(running, "1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  hold = false;
  wait_until([&] { return queue->counts().running + queue->counts().queued == 0; });
}

TEST_F(JobRetirementTest, a_log_goes_before_its_job_and_says_so) {
  const std::string id = ended();
  days(3);
  const Retired retired = retire({10 * kDay, 2 * kDay, 0, 0}, 1);
  EXPECT_EQ(retired.logs, 1U);
  EXPECT_EQ(retired.jobs, 0U);
  const std::string left = *queue->read_log(id, 0)->read();
  EXPECT_THAT(left, HasSubstr("this log was removed for its age"));
  EXPECT_THAT(left, HasSubstr("\"state\":\"succeeded\""));
  EXPECT_THAT(left, testing::Not(HasSubstr("artifact")));
  EXPECT_EQ(queue->log_bytes(), sys::disk_bytes(left.size()));
  EXPECT_EQ(retire({10 * kDay, 2 * kDay, 0, 0}).logs, 0U);
}

TEST_F(JobRetirementTest, artifacts_go_before_their_job_and_the_row_tells) {
  const std::string id = ended();
  days(3);
  EXPECT_EQ(retire({0, 0, 4 * kDay, 0}).artifacts, 0U);
  EXPECT_EQ(count("loose_blobs"), 0);
  EXPECT_EQ(retire({0, 0, 2 * kDay, 0}, 1).artifacts, 1U);
  const auto rows = *queue->artifacts(id);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().removed_ms, clock.unix_ms());
  EXPECT_EQ(count("loose_blobs"), 1) << "the sweeper hears of it";
  EXPECT_EQ(retire({0, 0, 2 * kDay, 0}).artifacts, 0U);
}

TEST_F(JobRetirementTest, of_many_the_latest_stay) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(ended());
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(retire({0, 0, 0, 2}, 2).jobs, 2U);
  EXPECT_THAT(known(), ElementsAre(ids[3], ids[2]));
  EXPECT_EQ(retire({0, 0, 0, 0}).jobs, 0U) << "0 is no limit";
}

TEST_F(JobRetirementTest, one_artifact_by_hand) {
  const std::string id = ended();
  auto removed = queue->remove_artifact(id, "1");
  ASSERT_TRUE(removed);
  const auto when = removed->removed_ms;
  EXPECT_EQ(when, clock.unix_ms());
  days(1);
  EXPECT_EQ(queue->remove_artifact(id, "1")->removed_ms, when) << "once is enough";
  EXPECT_EQ(queue->remove_artifact(id, "7").error().kind, ErrorKind::not_found);
  EXPECT_EQ(queue->remove_artifact("nosuchjob", "1").error().kind, ErrorKind::not_found);
}

TEST_F(JobRetirementTest, logs_are_counted_anew_at_a_start) {
  const std::string id = ended();
  const auto bytes = queue->log_bytes();
  EXPECT_EQ(bytes, sys::disk_bytes(std::filesystem::file_size(log_of(id))));
  queue.reset();
  queue = std::move(*JobQueue::open(*database, directory / "logs", {}, clock));
  EXPECT_EQ(queue->log_bytes(), bytes);
}

TEST_F(JobRetirementTest, what_became_of_jobs_is_counted) {
  ended();
  hold = true;
  const std::string running = waiting("+slow");
  wait_until([&] { return queue->find(running)->state == JobState::running; });
  const std::string queued = waiting("+slow");
  const std::string other = waiting("+slow");
  if (queue->find(queued)->state == JobState::queued) queue->cancel(queued);
  queue->cancel(other);
  queue->cancel(other);
  hold = false;
  wait_until([&] { return queue->counts().running + queue->counts().queued == 0; });
  const auto& counters = queue->counters();
  // The row comes first.
  for (int i = 0; i < 1000 && counters.succeeded + counters.canceled < 4; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(counters.succeeded + counters.canceled, 4U);
  EXPECT_GE(queue->counters().canceled, 1U);
  EXPECT_EQ(queue->counters().failed, 0U);
  EXPECT_GE(queue->counters().saved_bytes, 6U);
}

// Each sweep says it for itself, and the daemon's own limit holds beside it.
TEST_F(JobRetirementTest, a_sweep_may_want_its_jobs_and_artifacts_kept_for_a_shorter_time) {
  const auto run_sweep = [&](std::uint64_t jobs_days, std::uint64_t artifacts_days) {
    proto::SweepSpec spec;
    spec.name = "nightly" + std::to_string(jobs_days) + std::to_string(artifacts_days);
    spec.job.context = "sha256:" + std::string(64, 'a');
    spec.cells = {{"cell", "+cell", {}, {}, 0, 0}};
    spec.keep_jobs_seconds = jobs_days * 86'400;
    spec.keep_artifacts_seconds = artifacts_days * 86'400;
    const auto sweep = queue->submit_sweep(spec, {1000, 1000, "me"}, {});
    EXPECT_TRUE(sweep) << sweep.error().message;
    const auto job = queue->find_sweep(sweep->id, true)->cells.front().job;
    wait(job);
    wait_until([&] { return proto::is_final(queue->find_sweep(sweep->id, false)->state); });
    return job;
  };
  const auto single = ended();
  const auto short_jobs = run_sweep(2, 0);
  const auto short_artifacts = run_sweep(0, 2);
  const auto plain = run_sweep(0, 0);
  days(1);
  EXPECT_EQ(retire({30 * kDay, 0, 0, 0}).jobs, 0U);
  days(2);
  const auto retired = retire({30 * kDay, 0, 0, 0}, 2);
  EXPECT_EQ(retired.jobs, 1U);
  EXPECT_EQ(retired.artifacts, 1U);
  EXPECT_FALSE(queue->find(short_jobs));
  EXPECT_NE(queue->artifacts(short_artifacts)->front().removed_ms, 0);
  for (const auto& kept : {single, plain}) EXPECT_EQ(queue->artifacts(kept)->front().removed_ms, 0);
  days(30);
  EXPECT_EQ(retire({30 * kDay, 0, 0, 0}, 3).jobs, 3U);
}

}  // namespace
}  // namespace ingot::jobs
