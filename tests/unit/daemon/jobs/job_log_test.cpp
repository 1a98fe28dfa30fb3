#include "daemon/jobs/job_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/jobs/log_end.h"
#include "daemon/jobs/output_splitter.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

using nlohmann::json;

std::vector<json> events(const fs::path& file, std::uint64_t from = 0) {
  auto reader = LogReader::open(file, from);
  EXPECT_TRUE(reader);
  std::vector<json> found;
  while (true) {
    auto chunk = reader->read();
    EXPECT_TRUE(chunk);
    if (!chunk || chunk->empty()) return found;
    std::istringstream lines(*chunk);
    for (std::string line; std::getline(lines, line);) found.push_back(json::parse(line));
  }
}

proto::Event note(const std::string& text) {
  proto::Event event;
  event.text = text;
  return event;
}

class JobLogTest : public testing::Test {
 protected:
  std::shared_ptr<JobLog> open(std::uint64_t limit = 1 << 20) { return *JobLog::open(file, limit, clock); }
  test::TempDirectory directory;
  test::FakeClock clock;
  fs::path file = directory / "job.ndjson";
};

TEST_F(JobLogTest, numbers_go_on_after_a_crash_that_left_half_a_line) {
  open()->append(note("one"));
  std::ofstream(file, std::ios::app) << R"({"seq":1,"half)";
  auto log = open();
  log->append(note("two"));
  auto found = events(file);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1]["seq"], 1);
  EXPECT_EQ(found[1]["text"], "two");
  EXPECT_EQ(events(file, 1).size(), 1U);
  EXPECT_EQ(events(file, 7).size(), 0U);
}

TEST_F(JobLogTest, output_over_the_cap_is_dropped_after_one_mark_and_its_end_kept) {
  auto log = open(5000);
  for (int i = 0; i < 1000; ++i) log->append_output("1", "+t", "stdout", "line " + std::to_string(i) + "\n");
  log->append(note("still told"));
  auto found = events(file);
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [](const auto& e) { return e["type"] == "cut"; }), 1);
  EXPECT_EQ(found.back()["text"], "still told");
  EXPECT_LT(fs::file_size(file), 6000U);
  EXPECT_TRUE(log->was_cut());
  EXPECT_TRUE(log->take_tail("1").ends_with("line 999\n"));
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i]["seq"], i);
}

TEST_F(JobLogTest, followers_are_woken_and_miss_nothing) {
  auto log = open();
  std::atomic<int> wakes{0};
  auto subscription = log->subscribe([&] { ++wakes; });
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 250; ++i) log->append_output(std::to_string(w), "+t", "stdout", "x\n");
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(wakes, 1000);
  subscription.reset();
  log->close();
  EXPECT_EQ(wakes, 1000) << "nobody is woken who has left";
  EXPECT_EQ(events(file).size(), 1000U);
}

TEST_F(JobLogTest, a_log_without_an_end_gets_one_once) {
  open()->append(note("one"));
  proto::Event end;
  end.type = proto::EventType::state;
  end.state = proto::JobState::succeeded;
  ASSERT_TRUE(ensure_log_end(file, end, clock));
  ASSERT_TRUE(ensure_log_end(file, end, clock));
  auto found = events(file);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1]["state"], "succeeded");
}

TEST_F(JobLogTest, a_line_longer_than_the_readers_buffer_is_read_whole) {
  auto log = open(64U << 20);
  log->append(note(std::string(2U << 20, 'x')));
  auto reader = LogReader::open(file, 0);
  auto chunk = reader->read(4096);
  ASSERT_TRUE(chunk);
  EXPECT_GT(chunk->size(), 2U << 20);
}

std::string joined(const std::vector<OutputPiece>& pieces) {
  std::string text;
  for (const auto& piece : pieces) text += piece.text + (piece.partial ? "" : "\n");
  return text;
}

TEST(OutputSplitter, gives_back_the_same_bytes_however_they_arrive) {
  std::string text = "plain\nünïcode\n\xff\xfe binary\n" + std::string(100'000, 'y') + "\n\nno newline at the end";
  for (std::size_t step : {1U, 2U, 3U, 7U, 1000U, 200'000U}) {
    OutputSplitter splitter;
    std::string got;
    for (std::size_t at = 0; at < text.size(); at += step) got += joined(splitter.add(text.substr(at, step)));
    got += joined(splitter.finish());
    EXPECT_EQ(got, text + "\n") << step;
  }
}

TEST(OutputSplitter, never_cuts_a_character_and_marks_what_is_no_text) {
  OutputSplitter splitter;
  auto pieces = splitter.add("a\xc3");
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].text, "a");
  EXPECT_TRUE(pieces[0].partial);
  pieces = splitter.add("\xbc\n\xff\n");
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].text, "ü");
  EXPECT_FALSE(pieces[0].binary);
  EXPECT_TRUE(pieces[1].binary);
}

TEST_F(JobLogTest, what_it_is_to_hide_is_in_no_event) {
  auto log = open();
  log->hide(std::make_shared<base::Mask>(std::vector<std::string>{"s3cr3t"}));
  log->append(note("note s3cr3t"));
  log->append_output("1", "+t", "stdout", "is s3c");
  log->append_output("1", "+t", "stderr", "r3t no\n");
  log->append_output("1", "+t", "stdout", "r3t.\nlast s3cr");
  log->flush_output("1", "+t");
  EXPECT_EQ(log->take_tail("1"), "is r3t no\n***.\nlast s3cr");
  auto failed = note("");
  failed.error = Error{ErrorKind::invalid, "s3cr3t", "", {}, {}};
  log->append(std::move(failed));
  EXPECT_EQ(test::slurp(file).find("s3cr3t"), std::string::npos);
  auto found = events(file);
  EXPECT_EQ(found[0]["text"], "note ***");
  EXPECT_EQ(found[1]["text"], "is ");
  EXPECT_EQ(found[3]["text"], "***.");
  EXPECT_EQ(found[5]["text"], "s3cr") << "held back until the step's end";
  EXPECT_EQ(found.back()["error"]["message"], "***");
}

}  // namespace
}  // namespace ingot::jobs
