#include "client/sweep/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/sweep/grid.h"

namespace ingot::client {
namespace {

using proto::JobState;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

proto::SweepCell cell(int number, const std::string& version, const std::string& os, JobState state) {
  proto::SweepCell made;
  made.number = number;
  made.name = version + " " + os;
  made.target = "+image";
  made.values = {{"V", version}, {"OS", os}};
  made.state = state;
  made.job = "job" + std::to_string(number);
  made.seconds = number;
  made.bytes = 1000;
  made.steps = 3;
  made.executed = 2;
  return made;
}

proto::Sweep sweep() {
  proto::Sweep made;
  made.id = "abcdefgh";
  made.name = "nightly";
  made.axes = {"OS", "V"};
  made.state = proto::SweepState::failed;
  made.created_ms = 1'700'000'000'000;
  made.finished_ms = made.created_ms + 90'000;
  made.cells = {cell(1, "1.31.4", "debian", JobState::succeeded), cell(2, "1.31.4", "ubuntu", JobState::failed),
                cell(3, "1.32.0", "debian", JobState::succeeded), cell(4, "1.32.0", "ubuntu", JobState::failed),
                cell(5, "1.32.1", "debian", JobState::succeeded), cell(6, "1.32.1", "ubuntu", JobState::canceled)};
  for (auto* broken : {&made.cells[1], &made.cells[3]}) {
    broken->error =
        proto::Error{proto::ErrorKind::step_failed, "cannot fetch k3s " + broken->values["V"], "a <hint>", {}, {}};
  }
  made.cells[4].executed = 0;
  made.counts = {{"succeeded", 3}, {"failed", 2}, {"canceled", 1}};
  return made;
}

TEST(SweepSummary, groups_failures_by_their_error_and_names_what_took_long) {
  const auto one = sweep();
  const auto summary = summarize(one, nullptr);
  EXPECT_EQ(summary.green, 3U);
  EXPECT_EQ(summary.cached, 1U);
  EXPECT_EQ(summary.red, 2U);
  EXPECT_EQ(summary.canceled, 1U);
  ASSERT_EQ(summary.failures.size(), 1U) << "they differ in the version alone";
  EXPECT_EQ(summary.failures[0].message, "cannot fetch k3s 1.31.4");
  EXPECT_EQ(summary.failures[0].cells.size(), 2U);
  ASSERT_EQ(summary.slowest.size(), 5U);
  EXPECT_EQ(summary.slowest[0]->name, "1.32.1 ubuntu");
}

TEST(SweepSummary, other_errors_are_told_apart) {
  auto one = sweep();
  one.cells[3].error->message = "the disk is full";
  EXPECT_EQ(summarize(one, nullptr).failures.size(), 2U);
}

TEST(SweepSummary, tells_what_is_otherwise_than_the_last_time) {
  const auto now = sweep();
  auto before = sweep();
  before.cells[1].state = JobState::succeeded;
  before.cells[2].state = JobState::failed;
  before.cells[0].bytes = 800;
  before.cells[4].name = "1.30.0 debian";
  const auto summary = summarize(now, &before);
  EXPECT_THAT(summary.added, ElementsAre("1.32.1 debian"));
  EXPECT_THAT(summary.removed, ElementsAre("1.30.0 debian"));
  ASSERT_EQ(summary.newly_failing.size(), 1U);
  EXPECT_EQ(summary.newly_failing[0]->name, "1.31.4 ubuntu");
  ASSERT_EQ(summary.mended.size(), 1U);
  EXPECT_EQ(summary.mended[0]->name, "1.32.0 debian");
  ASSERT_EQ(summary.grown.size(), 1U);
  EXPECT_EQ(summary.grown[0].before, 800U);
  EXPECT_THAT(text_diff_of(now, before), AllOf(HasSubstr("fails now    1.31.4 ubuntu\n"),
                                               HasSubstr("works again  1.32.0 debian\n"), HasSubstr("(+25 %)")));
  EXPECT_EQ(text_diff_of(now, now), "nothing is otherwise\n");
}

TEST(SweepSummary, what_is_left_goes_at_the_pace_so_far) {
  auto one = sweep();
  for (auto& each : one.cells) each.state = JobState::queued;
  EXPECT_LT(seconds_left(one, one.created_ms + 10'000), 0) << "nobody knows";
  one.cells[0].state = JobState::succeeded;
  EXPECT_DOUBLE_EQ(seconds_left(one, one.created_ms + 10'000), 50);
  EXPECT_DOUBLE_EQ(seconds_left(sweep(), one.created_ms + 10'000), 0);
}

TEST(SweepGrid, has_the_longest_axis_down_and_the_others_across) {
  EXPECT_THAT(draw_grid(sweep(), {}, 20, 80), ElementsAre("        debian  ubuntu", "1.31.4  +       X     ",
                                                          "1.32.0  +       X     ", "1.32.1  =       -     "));
}

TEST(SweepGrid, is_a_line_for_each_across_where_it_does_not_fit) {
  EXPECT_THAT(draw_grid(sweep(), {}, 3, 80), ElementsAre("debian  ++=", "ubuntu  XX-"));
  EXPECT_THAT(draw_grid(sweep(), {}, 3, 7), ElementsAre("de…  3 of 3 done", "ub…  3 of 3 done, 2 failed"));
}

TEST(SweepGrid, leaves_out_the_base_and_what_no_cell_is_for) {
  auto one = sweep();
  one.cells[0].number = 0;
  one.cells[0].name.clear();
  one.cells[0].values.clear();
  EXPECT_EQ(draw_grid(one, {}, 20, 80)[1], "1.31.4  X             ");
}

TEST(SweepCounts, are_words) {
  EXPECT_EQ(draw_counts(sweep()), "6 of 6 done, 2 failed, 1 canceled");
}

TEST(SweepReport, junit_has_a_case_for_each_cell) {
  const auto xml = junit_report(sweep());
  EXPECT_THAT(xml,
              AllOf(HasSubstr("<testsuite name=\"nightly\" tests=\"6\" failures=\"2\" errors=\"0\" skipped=\"1\""),
                    HasSubstr("name=\"1.31.4 debian\" time=\"1.000\"/>"),
                    HasSubstr("<failure message=\"cannot fetch k3s 1.31.4\">cannot fetch k3s 1.31.4\na &lt;hint&gt;\n"
                              "log: ingot logs job2</failure>"),
                    HasSubstr("<skipped message=\"canceled\"/>")));
}

TEST(SweepReport, markdown_keeps_what_others_say_out_of_its_tables) {
  auto one = sweep();
  one.cells[1].error->message = "a | b <script>";
  const auto text = markdown_report(one, nullptr);
  EXPECT_THAT(
      text,
      AllOf(
          HasSubstr("## Sweep nightly failed\n\n3 green (1 of them were there already), 2 red, 1 canceled, in 1m30s\n"),
          HasSubstr("a \\| b \\<script\\>"), Not(HasSubstr("since the last"))));
}

}  // namespace
}  // namespace ingot::client
