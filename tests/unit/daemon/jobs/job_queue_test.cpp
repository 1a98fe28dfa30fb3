#include "daemon/jobs/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "daemon/sys/in_memory.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

using proto::JobState;

proto::JobSpec spec(const std::string& target, int priority = 0) {
  proto::JobSpec made;
  made.context = "sha256:" + std::string(64, 'a');
  made.target = target;
  made.priority = priority;
  return made;
}

class JobQueueTest : public testing::Test {
 protected:
  void open(unsigned workers = 1) {
    queue.reset();
    database.reset();
    database = std::move(*db::Database::open(directory / "x.db"));
    QueueSettings settings;
    settings.workers = workers;
    if (memory) settings.secrets = memory->path() / "secrets/x";
    queue = std::move(*JobQueue::open(*database, directory / "logs", settings, base::system_clock()));
  }
  std::string submit(const proto::JobSpec& what) { return queue->submit(what, {1000, 1000, "me"})->id; }
  proto::Job wait(const std::string& id) {
    for (int i = 0; i < 1000; ++i) {
      auto job = queue->find(id);
      // The row comes first, the log's end right behind it.
      if (job && proto::is_final(job->state) && !queue->live_log(id)) return *job;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "job " << id << " did not end";
    return {};
  }
  test::TempDirectory directory;
  // Where secrets may lie; false: there is no such place here.
  bool have_secrets() {
    if (!sys::is_in_memory("/dev/shm")) return false;
    memory.emplace(*sys::TempDir::create("/dev/shm", "ingot-test-"));
    return true;
  }
  bool keeps_secrets_of(const std::string& id) const { return fs::exists(memory->path() / "secrets/x" / id); }
  std::optional<sys::TempDir> memory;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<JobQueue> queue;
};

TEST_F(JobQueueTest, runs_by_priority_then_by_order) {
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

TEST_F(JobQueueTest, a_job_keeps_what_it_started_from_and_its_next_attempt_begins_without) {
  open();
  queue->start([&](JobRun& run) -> Status {
    INGOT_CHECK(
        run.record_images({{"debian:12", "sha256:a", "bootstrap bookworm"}, {"x:1", "sha256:b", "docker://x:1"}}));
    return run.job.spec.target == "+bad" ? base::fail(ErrorKind::step_failed, "bad") : Status{};
  });
  for (const char* target : {"+good", "+bad"}) {
    const auto job = wait(submit(spec(target)));
    ASSERT_EQ(job.from_images.size(), 2U);
    EXPECT_EQ(job.from_images[0].name, "debian:12");
    EXPECT_EQ(job.from_images[1].digest, "sha256:b");
    EXPECT_EQ(job.from_images[1].source, "docker://x:1");
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
    seen = run.job.from_images.size();
    return {};
  });
  EXPECT_EQ(wait(stopped).from_images.size(), 0U);
  EXPECT_EQ(seen, 0U);
}

TEST_F(JobQueueTest, a_failure_keeps_its_error_and_the_log_its_end) {
  open();
  queue->start([](JobRun&) -> Status { return base::fail(ErrorKind::step_failed, "exit code 3", "look"); });
  const std::string id = submit(spec("+a"));
  auto job = wait(id);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.error->message, "exit code 3");
  auto text = queue->read_log(id, 0)->read();
  EXPECT_THAT(*text, testing::HasSubstr("\"state\":\"failed\""));
  EXPECT_EQ(queue->live_log(id), nullptr);
}

TEST_F(JobQueueTest, cancel_ends_queued_and_running_jobs_and_refuses_ended_ones) {
  open();
  std::atomic<bool> begun{false};
  queue->start([&](JobRun& run) -> Status {
    begun = true;
    while (!run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return base::fail(ErrorKind::canceled, "canceled");
  });
  const std::string running = submit(spec("+a"));
  const std::string queued = submit(spec("+b"));
  while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(queue->cancel(queued)->state, JobState::canceled);
  ASSERT_TRUE(queue->cancel(running));
  EXPECT_EQ(wait(running).state, JobState::canceled);
  EXPECT_TRUE(queue->cancel(running)) << "asking twice is no error";
  auto done = queue->retry(running, {});
  EXPECT_EQ(done->retry_of, running);
}

TEST_F(JobQueueTest, an_idempotency_key_is_one_job_for_one_user) {
  open();
  auto with_key = spec("+a");
  with_key.idempotency_key = "k";
  const std::string id = submit(with_key);
  EXPECT_EQ(submit(with_key), id);
  EXPECT_NE(queue->submit(with_key, {2000, 2000, "other"})->id, id);
  with_key.target = "+b";
  auto refused = queue->submit(with_key, {1000, 1000, "me"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
}

TEST_F(JobQueueTest, what_ran_when_the_daemon_ended_is_queued_again_with_a_note) {
  open();
  const std::string id = submit(spec("+a"));
  const std::string canceled = submit(spec("+b"));
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto update,
              database->prepare("UPDATE jobs SET state = 'running', started_ms = created_ms, attempts = 1"));
    INGOT_CHECK(update.run());
    INGOT_TRY(auto ask, database->prepare("UPDATE jobs SET cancel_requested = 1 WHERE id = ?"));
    return ask.bind(1, canceled).run();
  }));
  open();
  EXPECT_EQ(queue->find(id)->state, JobState::queued);
  EXPECT_EQ(queue->find(canceled)->state, JobState::canceled);
  EXPECT_THAT(*queue->read_log(id, 0)->read(), testing::HasSubstr("it is run again from the start"));
}

TEST_F(JobQueueTest, drain_puts_running_jobs_back_and_refuses_new_ones) {
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

TEST_F(JobQueueTest, ids_may_be_shortened_and_labels_filter) {
  open();
  auto labeled = spec("+a");
  labeled.labels = {{"team", "edge"}};
  const std::string id = submit(labeled);
  submit(spec("+b"));
  EXPECT_EQ(queue->find(id.substr(0, 6))->id, id);
  EXPECT_EQ(queue->find("zzzzzz").error().kind, ErrorKind::not_found);
  JobFilter filter;
  filter.labels = {{"team", "edge"}};
  auto found = queue->list(filter);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().id, id);
}

TEST_F(JobQueueTest, a_time_limit_ends_a_job_as_timed_out) {
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

TEST_F(JobQueueTest, secrets_are_the_runs_and_go_with_the_job) {
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

TEST_F(JobQueueTest, secrets_that_are_lost_are_told_and_those_of_nobody_are_swept) {
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

TEST_F(JobQueueTest, without_a_place_for_its_secrets_there_is_no_job) {
  open();
  auto refused = queue->submit(spec("+a"), {}, {{"A", "value"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_TRUE(queue->list({})->empty());
}

TEST_F(JobQueueTest, a_submission_that_is_repeated_keeps_the_first_ones_secrets) {
  if (!have_secrets()) GTEST_SKIP() << "/dev/shm is not in memory";
  open();
  auto with_key = spec("+a");
  with_key.idempotency_key = "k";
  const std::string id = queue->submit(with_key, {}, {{"A", "first"}})->id;
  EXPECT_EQ(queue->submit(with_key, {}, {{"A", "second"}})->id, id);
  EXPECT_EQ(queue->submit(with_key, {}, {{"B", "other"}}).error().kind, ErrorKind::conflict);
  std::string seen;
  queue->start([&](JobRun& run) -> Status {
    seen = run.secrets->at("A");
    return {};
  });
  wait(id);
  EXPECT_EQ(seen, "first");
}

}  // namespace
}  // namespace ingot::jobs
