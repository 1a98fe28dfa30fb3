#include "daemon/jobs/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/daemon/jobs/queue_fixture.h"

namespace ingot::jobs {
namespace {

using fixture::spec;
using proto::JobState;
using testing::HasSubstr;
using JobQueueTest = fixture::QueueFixture;

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
  EXPECT_THAT(*queue->read_log(id, 0)->read(), HasSubstr("it is run again from the start"));
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
