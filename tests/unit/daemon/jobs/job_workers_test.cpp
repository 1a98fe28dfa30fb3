#include "daemon/jobs/job_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/unit/daemon/jobs/queue_fixture.h"

namespace ingot::jobs {
namespace {

using fixture::spec;
using proto::JobState;
using testing::HasSubstr;
using JobWorkersTest = fixture::QueueFixture;

TEST_F(JobWorkersTest, runs_by_priority_then_by_order) {
  open();
  std::vector<std::string> ids = {submit(spec("+a")), submit(spec("+b")), submit(spec("+urgent", 9)),
                                  submit(spec("+late", -1))};
  EXPECT_EQ(queue->find(ids[2])->queue_position, 1);
  EXPECT_EQ(queue->find(ids[3])->queue_position, 4);
  std::mutex mutex;
  std::vector<std::string> order;
  queue->start([&](JobRun& run) -> Status {
    std::lock_guard lock(mutex);
    order.push_back(run.job.spec.target);
    return {};
  });
  for (const auto& id : ids) EXPECT_EQ(wait(id).state, JobState::succeeded);
  EXPECT_EQ(order, (std::vector<std::string>{"+urgent", "+a", "+b", "+late"}));
}

TEST_F(JobWorkersTest, a_job_keeps_what_it_started_from_and_its_next_attempt_begins_without) {
  open();
  queue->start([&](JobRun& run) -> Status {
    INGOT_CHECK(
        run.record_images({{"debian:12", "sha256:a", "bootstrap bookworm"}, {"x:1", "sha256:b", "docker://x:1"}}));
    INGOT_CHECK(run.record_repositories({{"github.com/org/repo", "", "abc", "https://github.com/org/repo.git"}}));
    return run.job.spec.target == "+bad" ? base::fail(ErrorKind::step_failed, "bad") : Status{};
  });
  for (const char* target : {"+good", "+bad"}) {
    const auto job = wait(submit(spec(target)));
    ASSERT_EQ(job.from_images.size(), 2U);
    EXPECT_EQ(job.from_images[0].name, "debian:12");
    EXPECT_EQ(job.from_images[1].digest, "sha256:b");
    EXPECT_EQ(job.from_images[1].source, "docker://x:1");
    ASSERT_EQ(job.from_repositories.size(), 1U);
    EXPECT_EQ(job.from_repositories[0].commit, "abc");
  }
  EXPECT_EQ(queue->list({})->front().from_images.size(), 2U);
  const std::string stopped = submit(spec("+good"));
  wait(stopped);
  queue.reset();
  // As a daemon leaves it that died.
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto update, database->prepare("UPDATE jobs SET state = 'running', finished_ms = NULL WHERE id = ?"));
    return update.bind(1, stopped).run();
  }));
  open();
  std::size_t seen = 99;
  queue->start([&](JobRun& run) -> Status {
    seen = run.job.from_images.size() + run.job.from_repositories.size();
    return {};
  });
  EXPECT_EQ(wait(stopped).from_images.size(), 0U);
  EXPECT_EQ(seen, 0U);
}

TEST_F(JobWorkersTest, a_failure_keeps_its_error_and_the_log_its_end) {
  open();
  queue->start([](JobRun&) -> Status { return base::fail(ErrorKind::step_failed, "exit code 3", "look"); });
  const std::string id = submit(spec("+a"));
  auto job = wait(id);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.error->message, "exit code 3");
  auto text = queue->read_log(id, 0)->read();
  EXPECT_THAT(*text, HasSubstr("\"state\":\"failed\""));
  EXPECT_EQ(queue->live_log(id), nullptr);
}

// As a command under LOCALLY that builds here itself.
TEST_F(JobWorkersTest, a_job_that_steps_aside_may_wait_for_others) {
  open(1);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  queue->start([&](JobRun& run) -> Status {
    const int now = ++running;
    if (now > most) most = now;
    if (const std::string& target = run.job.spec.target; target != "+quick") {
      const auto aside = run.step_aside();
      wait(submit(spec(target == "+outer" ? "+middle" : "+quick")));
    }
    --running;
    return {};
  });
  EXPECT_EQ(wait(submit(spec("+outer"))).state, JobState::succeeded);
  EXPECT_EQ(most, 3);
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(submit(spec("+quick")));
  most = 0;
  for (const auto& id : ids) EXPECT_EQ(wait(id).state, JobState::succeeded);
  EXPECT_EQ(most, 1) << "there is as little room as before";
}

TEST_F(JobWorkersTest, drain_puts_running_jobs_back_and_refuses_new_ones) {
  open();
  std::atomic<bool> begun{false};
  queue->start([&](JobRun& run) -> Status {
    begun = true;
    while (!run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::canceled, "canceled");
  });
  const std::string id = submit(spec("+a"));
  while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  queue->drain(std::chrono::milliseconds(10));
  EXPECT_EQ(queue->find(id)->state, JobState::queued);
  auto refused = queue->submit(spec("+b"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
}

TEST_F(JobWorkersTest, a_time_limit_ends_a_job_as_timed_out) {
  open();
  queue->start([](JobRun& run) -> Status {
    while (!run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::canceled, "canceled");
  });
  auto limited = spec("+a");
  limited.timeout_seconds = 1;
  auto job = wait(submit(limited));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.error->kind, ErrorKind::timed_out);
}

TEST_F(JobWorkersTest, secrets_are_the_runs_and_go_with_the_job) {
  if (!have_secrets()) GTEST_SKIP() << "/dev/shm is not in memory";
  open();
  const proto::Secrets secrets{{"B", "s3cr3t"}, {"A", "x"}};
  const auto job = queue->submit(spec("+a"), {}, secrets);
  ASSERT_TRUE(job) << proto::render(job.error());
  EXPECT_EQ(job->spec.secret_names, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(keeps_secrets_of(job->id));
  const std::string canceled = queue->submit(spec("+b"), {}, secrets)->id;
  ASSERT_TRUE(queue->cancel(canceled));
  EXPECT_FALSE(keeps_secrets_of(canceled));
  open();  // another daemon
  proto::Secrets seen;
  queue->start([&](JobRun& run) -> Status {
    seen = *run.secrets;
    run.log.append_output("1", "+a", "stdout", "s3cr3t\n");
    run.log.flush_output("1", "+a");
    return base::fail(ErrorKind::step_failed, "s3cr3t failed");
  });
  EXPECT_EQ(wait(job->id).error->message, "*** failed");
  EXPECT_EQ(seen, secrets);
  EXPECT_FALSE(keeps_secrets_of(job->id));
  for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(test::slurp(entry.path()).find("s3cr3t"), std::string::npos) << entry.path();
  }
  auto again = queue->retry(job->id, {});
  ASSERT_TRUE(again);
  wait(again->id);
  EXPECT_TRUE(seen.empty()) << "they are not the next job's";
}

TEST_F(JobWorkersTest, secrets_that_are_lost_are_told_and_those_of_nobody_are_swept) {
  if (!have_secrets()) GTEST_SKIP() << "/dev/shm is not in memory";
  open();
  const std::string lost = queue->submit(spec("+a"), {}, {{"A", "value"}})->id;
  const std::string kept = queue->submit(spec("+b"), {}, {{"A", "value"}})->id;
  const fs::path place = memory->path() / "secrets/x";
  fs::rename(place / lost, place / "nobodys");
  open();
  EXPECT_FALSE(fs::exists(place / "nobodys"));
  EXPECT_TRUE(keeps_secrets_of(kept));
  std::map<std::string, std::set<std::string>> told;
  queue->start([&](JobRun& run) -> Status {
    told[run.job.id] = run.lost_secrets;
    return {};
  });
  wait(lost);
  wait(kept);
  EXPECT_EQ(told[lost], (std::set<std::string>{"A"}));
  EXPECT_TRUE(told[kept].empty());
}

}  // namespace
}  // namespace ingot::jobs
