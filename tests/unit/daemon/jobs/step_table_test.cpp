#include "daemon/jobs/step_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/base/digest.h"
#include "daemon/jobs/job_table.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StepTableTest : public testing::Test {
 protected:
  std::string job() {
    proto::JobSpec spec;
    spec.context = "sha256:" + std::string(64, 'a');
    spec.target = "+t";
    spec.project = project;
    spec.no_cache = no_cache;
    spec.no_cache_targets = anew;
    return jobs.insert(spec, {0, 0, "me"}, "", 100)->job.id;
  }
  static StepRecord step(const std::string& text, std::map<std::string, std::string> parts,
                         const std::string& how = "executed") {
    return {2, 0, "+t", text, "Earthfile:3", how, 1.5, false, std::move(parts), 0};
  }
  // What is said of the one step of a new job.
  proto::StepReport report(const StepRecord& record) {
    const std::string id = job();
    EXPECT_TRUE(steps.record(id, {record}));
    auto reports = steps.reports(id);
    EXPECT_TRUE(reports);
    EXPECT_EQ(reports->size(), 1U);
    return reports->empty() ? proto::StepReport{} : reports->front();
  }

  std::string project = "/home/me/edge";
  bool no_cache = false;
  std::vector<std::string> anew;
  test::TempDirectory directory;
  std::unique_ptr<db::Database> database = std::move(*db::Database::open(directory / "x.db"));
  JobTable jobs{*database, base::system_clock()};
  StepTable steps{*database};
};

TEST_F(StepTableTest, a_step_is_kept_as_it_was) {
  const auto kept = report(step("RUN x", {}));
  EXPECT_EQ(kept.step, "2");
  EXPECT_EQ(kept.target, "+t");
  EXPECT_EQ(kept.text, "RUN x");
  EXPECT_EQ(kept.position, "Earthfile:3");
  EXPECT_EQ(kept.how, "executed");
  EXPECT_EQ(kept.seconds, 1.5);
  EXPECT_EQ(kept.compared_with, "");
  EXPECT_THAT(kept.reasons, ElementsAre("no earlier job had this step"));
}

TEST_F(StepTableTest, parts_that_changed_came_or_went_are_named) {
  report(step("RUN x", {{"$A", "1"}, {"$B", "1"}, {"the user", "1"}}));
  const auto later = report(step("RUN x", {{"$A", "2"}, {"$C", "1"}, {"the user", "1"}}));
  EXPECT_THAT(later.reasons, ElementsAre("$A changed", "$C is new", "$B is gone"));
  EXPECT_NE(later.compared_with, "");
}

TEST_F(StepTableTest, the_latest_job_that_had_the_line_counts_and_failures_do_not) {
  report(step("RUN x", {{"$A", "old"}}));
  report(step("RUN x", {{"$A", "new"}}));
  report(step("RUN x", {{"$A", "failed"}}, "failed"));
  EXPECT_THAT(report(step("RUN x", {{"$A", "new"}})).reasons, ElementsAre("nothing changed; its result was not kept"));
}

TEST_F(StepTableTest, a_line_that_was_written_anew_is_held_against_the_one_at_its_place) {
  report(step("RUN x", {{"the command", "1"}}));
  EXPECT_THAT(report(step("RUN y", {{"the command", "2"}})).reasons,
              ElementsAre("the line was: RUN x", "the command changed"));
}

TEST_F(StepTableTest, the_same_project_comes_first_and_another_counts_by_its_line_alone) {
  report(step("RUN x", {{"$A", "mine"}}));
  project = "/home/you/edge";
  EXPECT_THAT(report(step("RUN y", {})).reasons, ElementsAre("no earlier job had this step"));
  EXPECT_THAT(report(step("RUN x", {{"$A", "yours"}})).reasons, ElementsAre("$A changed"));
  project = "/home/me/edge";
  EXPECT_THAT(report(step("RUN x", {{"$A", "mine"}})).reasons, ElementsAre("nothing changed; its result was not kept"));
}

TEST_F(StepTableTest, what_did_not_run_needs_no_reason) {
  EXPECT_THAT(report(step("RUN x", {}, "cached")).reasons, IsEmpty());
  auto forced = step("RUN x", {});
  forced.asked_to_run = true;
  EXPECT_THAT(report(forced).reasons, ElementsAre("it was to run anew: RUN --no-cache"));
}

TEST_F(StepTableTest, who_asked_a_step_to_run_is_named) {
  auto forced = step("RUN x", {});
  forced.asked_to_run = true;
  anew = {"+other"};
  EXPECT_THAT(report(forced).reasons, ElementsAre("it was to run anew: RUN --no-cache"));
  anew = {"+other", "+t"};
  EXPECT_THAT(report(forced).reasons, ElementsAre("it was to run anew: --no-cache=+t"));
  no_cache = true;
  EXPECT_THAT(report(forced).reasons, ElementsAre("it was to run anew: --no-cache"));
}

TEST_F(StepTableTest, what_stood_on_a_step_that_was_asked_to_run_says_so_and_no_later_job_does) {
  report(step("RUN x", {{"$A", "1"}}));
  auto above = step("RUN x", {{"$A", "1"}});
  above.stands_on_anew = true;
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(report(above).reasons, ElementsAre("what it stands on was to run anew, and came out different"));
  }
  EXPECT_THAT(report(step("RUN x", {{"$A", "2"}})).reasons, ElementsAre("$A changed"));
}

TEST_F(StepTableTest, parts_that_are_kept_are_not_made_again) {
  int made = 0;
  const auto with_parts = [&](const std::string& digest, const std::string& value) {
    auto one = step("RUN x", {});
    one.parts_digest = digest.empty() ? "" : base::Digest::of(digest).str();
    one.make_parts = [&made, value] {
      ++made;
      return std::map<std::string, std::string>{{"$A", value}};
    };
    return one;
  };
  report(with_parts("1", "old"));
  report(with_parts("1", "old"));
  EXPECT_EQ(made, 1);
  EXPECT_THAT(report(with_parts("2", "new")).reasons, ElementsAre("$A changed"));
  EXPECT_EQ(made, 2);
  report(with_parts("", "new"));
  report(with_parts("", "new"));
  EXPECT_EQ(made, 4) << "what has no digest before it is made";
}

TEST_F(StepTableTest, parts_that_go_meanwhile_are_made_after_all) {
  auto first = step("RUN x", {});
  first.parts_digest = base::Digest::of("1").str();
  first.make_parts = [] { return std::map<std::string, std::string>{{"$A", "1"}}; };
  report(first);
  auto second = first;
  auto other = step("RUN y", {});
  other.number = 3;
  other.make_parts = [&] {
    // As when the job that had the others is forgotten just now.
    EXPECT_TRUE(database->transaction([&]() -> Status {
      for (const char* text : {"DELETE FROM job_steps", "DELETE FROM step_parts"}) {
        INGOT_TRY(auto deletion, database->prepare(text));
        INGOT_CHECK(deletion.run());
      }
      return {};
    }));
    return std::map<std::string, std::string>{};
  };
  const std::string id = job();
  ASSERT_TRUE(steps.record(id, {second, other}));
  EXPECT_EQ(steps.reports(id)->size(), 2U);
}

TEST_F(StepTableTest, a_job_that_is_run_again_has_only_its_last_run) {
  const std::string id = job();
  ASSERT_TRUE(steps.record(id, {step("RUN x", {}), {3, 1, "+t", "RUN y", "Earthfile:4", "executed", 0, false, {}, 0}}));
  ASSERT_TRUE(steps.record(id, {step("RUN x", {}, "cached")}));
  const auto reports = steps.reports(id);
  ASSERT_EQ(reports->size(), 1U);
  EXPECT_EQ(reports->front().how, "cached");
}

TEST_F(StepTableTest, what_a_step_wrote_is_expected_of_it_again) {
  auto record = step("RUN x", {});
  record.bytes = 700;
  EXPECT_EQ(*steps.expected_bytes(project, "+t", "RUN x"), 0U) << "nobody knows";
  report(record);
  record.bytes = 500;
  report(record);
  auto cached = step("RUN x", {}, "cached");
  report(cached);
  EXPECT_EQ(*steps.expected_bytes(project, "+t", "RUN x"), 500U) << "by the last that ran";
  EXPECT_EQ(*steps.expected_bytes(project, "+t", "RUN y"), 0U);
  EXPECT_EQ(*steps.expected_bytes("another project", "+t", "RUN x"), 0U);
}

TEST_F(StepTableTest, artifacts_are_expected_as_the_last_job_that_succeeded_had_them) {
  const auto made = [&](std::uint64_t size, proto::JobState state) {
    const std::string id = job();
    while ((*jobs.claim())->id != id) continue;
    proto::Artifact artifact;
    artifact.name = "out";
    artifact.digest = "sha256:" + std::string(64, 'b');
    artifact.size = size;
    std::vector<proto::Artifact> artifacts{artifact, artifact};
    EXPECT_TRUE(jobs.add_artifacts(id, artifacts));
    EXPECT_EQ(artifacts[1].id, "2");
    Error error;
    EXPECT_TRUE(jobs.finish(id, state, state == proto::JobState::failed ? std::optional(error) : std::nullopt));
  };
  made(10, proto::JobState::succeeded);
  made(20, proto::JobState::succeeded);
  made(99, proto::JobState::failed);
  EXPECT_EQ(*steps.expected_artifacts(project, "+t"), 40U);
  EXPECT_EQ(*steps.expected_artifacts(project, "+other"), 0U);
}

}  // namespace
}  // namespace ingot::jobs
