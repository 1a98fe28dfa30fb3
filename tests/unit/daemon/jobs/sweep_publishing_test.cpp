#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "tests/support/fakes.h"
#include "tests/unit/daemon/jobs/sweep_fixture.h"

namespace ingot::jobs {
namespace {

using fixture::kMe;
using fixture::sweep_of;
using proto::JobState;
using proto::SweepState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using SweepPublishing = fixture::SweepFixture;

TEST_F(SweepPublishing, whole_publishing_begins_when_every_cell_is_green_and_goes_on_until_all_is_pushed) {
  open();
  auto spec = sweep_of(3);
  spec.publish_whole = true;
  const auto submitted = submit_sweep(spec);
  std::atomic<int> built = 0;
  std::atomic<bool> refused = false;
  std::vector<std::string> pushed;
  queue->start(
      [&](JobRun& run) -> Status {
        proto::Artifact image;
        image.name = "registry/x:" + run.job.cell;
        image.digest = "sha256:" + std::string(64, 'b');
        image.push = run.job.cell != "2";
        INGOT_CHECK(run.add_artifacts({image}));
        ++built;
        return {};
      },
      [&](const proto::ImagePush& image, const sys::CancelToken&) -> Status {
        EXPECT_EQ(built, 3);
        if (!refused.exchange(true)) return base::fail(ErrorKind::unavailable, "the registry is down");
        pushed.push_back(image.name);
        return {};
      });
  EXPECT_EQ(ended(submitted.id).state, SweepState::succeeded);
  EXPECT_THAT(pushed, ElementsAre("registry/x:1", "registry/x:3"));
}

TEST_F(SweepPublishing, one_that_is_canceled_while_it_publishes_pushes_nothing_more_and_can_be_taken_up) {
  open();
  auto spec = sweep_of(3);
  spec.publish_whole = true;
  const auto submitted = submit_sweep(spec);
  std::atomic<int> pushes = 0;
  std::atomic<bool> go_on = false;
  queue->start(
      [&](JobRun& run) -> Status {
        proto::Artifact image;
        image.name = "registry/x:" + run.job.cell;
        image.digest = "sha256:" + std::string(64, 'b');
        image.push = true;
        image.insecure = true;
        return run.add_artifacts({image});
      },
      [&](const proto::ImagePush& image, const sys::CancelToken& cancel) -> Status {
        EXPECT_TRUE(image.insecure);
        ++pushes;
        while (!go_on && !cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return go_on ? Status() : base::fail(ErrorKind::canceled, "canceled");
      });
  while (pushes == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(queue->cancel_sweep(submitted.id));
  EXPECT_EQ(ended(submitted.id).state, SweepState::canceled);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(pushes, 1);
  go_on = true;
  const auto again = queue->retry_sweep(submitted.id, true, kMe, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(ended(submitted.id).state, SweepState::succeeded);
  EXPECT_EQ(pushes, 4);
}

TEST_F(SweepPublishing, what_is_to_be_published_is_kept_until_it_is) {
  open();
  auto spec = sweep_of(2);
  spec.publish_whole = true;
  const auto submitted = submit_sweep(spec);
  std::atomic<bool> refused = false;
  std::atomic<bool> go_on = false;
  queue->start(
      [&](JobRun& run) -> Status {
        proto::Artifact image;
        image.name = "registry/x:" + run.job.cell;
        image.digest = "sha256:" + std::string(64, 'b');
        image.push = true;
        return run.add_artifacts({image});
      },
      [&](const proto::ImagePush&, const sys::CancelToken&) -> Status {
        refused = true;
        if (!go_on) return base::fail(ErrorKind::unavailable, "the registry is down");
        return {};
      });
  while (!refused) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto cells = queue->find_sweep(submitted.id, true)->cells;
  EXPECT_EQ(queue->remove_artifact(cells[0].job, "1").error().kind, ErrorKind::conflict);
  RetentionPolicy policy;
  policy.max_jobs = 1;
  policy.jobs_ms = 1;
  policy.artifacts_ms = 1;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(queue->retire(policy));
  EXPECT_TRUE(queue->find(cells[0].job));
  go_on = true;
  EXPECT_EQ(ended(submitted.id).state, SweepState::succeeded);
  ASSERT_TRUE(queue->retire(policy));
  EXPECT_FALSE(queue->find(cells[0].job));
}

TEST_F(SweepPublishing, nothing_is_published_of_one_with_a_red_cell) {
  open();
  auto spec = sweep_of(2);
  spec.publish_whole = true;
  const auto submitted = submit_sweep(spec);
  bool pushed = false;
  queue->start(recorder({"+c2"}), [&](const proto::ImagePush&, const sys::CancelToken&) -> Status {
    pushed = true;
    return {};
  });
  EXPECT_EQ(ended(submitted.id).state, SweepState::failed);
  EXPECT_FALSE(pushed);
}

}  // namespace
}  // namespace ingot::jobs
