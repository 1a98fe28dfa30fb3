#include "daemon/jobs/live_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/jobs/job_events.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

using proto::JobState;
using testing::HasSubstr;
using testing::Not;

class LiveLogsTest : public testing::Test {
 protected:
  std::string text(JobState state) {
    proto::Job job;
    job.id = "j";
    job.state = state;
    auto reader = proto::is_final(state) ? logs.read_ended(job, 0) : logs.read(job.id, 0);
    EXPECT_TRUE(reader);
    return reader ? reader->read(1 << 20).value_or("") : "";
  }
  std::uint64_t on_disk() { return sys::disk_bytes(fs::file_size(directory / "j.ndjson")); }

  test::TempDirectory directory;
  test::FakeClock clock;
  LiveLogs logs{directory.path(), 1 << 20, clock};
};

TEST_F(LiveLogsTest, writer_and_follower_share_one_log_until_its_end) {
  EXPECT_EQ(logs.find("j"), nullptr);
  const auto writer = *logs.open("j");
  EXPECT_EQ(*logs.open("j"), writer);
  EXPECT_EQ(logs.find("j"), writer);
  logs.tell("j", note_event("hello"));
  logs.end("j", JobState::succeeded, {});
  EXPECT_TRUE(writer->closed());
  EXPECT_EQ(logs.find("j"), nullptr) << "whoever comes now reads the file";
  EXPECT_THAT(text(JobState::succeeded), HasSubstr("hello"));
}

TEST_F(LiveLogsTest, a_log_whose_end_a_dead_daemon_did_not_write_gets_it_when_it_is_read) {
  logs.tell("j", note_event("hello"));
  EXPECT_THAT(text(JobState::running), Not(HasSubstr("canceled")));
  EXPECT_THAT(text(JobState::canceled), HasSubstr("\"state\":\"canceled\""));
}

TEST_F(LiveLogsTest, all_bytes_are_counted_also_those_of_an_earlier_daemon) {
  logs.tell("j", note_event("hello"));
  EXPECT_EQ(logs.bytes(), on_disk());
  const LiveLogs later(directory.path(), 1 << 20, clock);
  later.count();
  EXPECT_EQ(later.bytes(), on_disk());
  later.remove("j");
  EXPECT_EQ(later.bytes(), 0U);
}

TEST_F(LiveLogsTest, who_asks_for_it_when_the_job_has_just_ended_does_not_wait_for_more) {
  logs.tell("j", note_event("about to end"));
  EXPECT_FALSE((*logs.open("j"))->closed());
  logs.end("j", JobState::succeeded, {});
  EXPECT_TRUE((*logs.open("j"))->closed());
}

TEST_F(LiveLogsTest, of_a_shortened_log_the_reason_and_the_end_are_left) {
  logs.tell("j", note_event(std::string(5000, 'x')));
  logs.end("j", JobState::failed, Error{ErrorKind::step_failed, "exit code 3", "", {}, {}});
  proto::Job job;
  job.id = "j";
  job.state = JobState::failed;
  ASSERT_TRUE(logs.shorten(job, "gone for its age"));
  EXPECT_THAT(text(JobState::failed), HasSubstr("gone for its age"));
  EXPECT_THAT(text(JobState::failed), HasSubstr("\"state\":\"failed\""));
  EXPECT_LT(fs::file_size(directory / "j.ndjson"), 1000U);
  EXPECT_EQ(logs.bytes(), on_disk());
}

}  // namespace
}  // namespace ingot::jobs
