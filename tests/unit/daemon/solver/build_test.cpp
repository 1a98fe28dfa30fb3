#include "daemon/solver/build.h"

#include <nlohmann/json.hpp>

#include "tests/support/oci_layout.h"
#include "tests/unit/daemon/solver/played_builds.h"

namespace ingot::solver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(BuildTest, what_was_built_is_not_built_again) {
  auto first = build(two_runs());
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_THAT(first.commands, ElementsAre("write a 1", "write out 2"));
  EXPECT_EQ(first.text, "2");
  EXPECT_THAT(first.told, ElementsAre("known 1", "cached 1", "start 2", "end 2", "start 3", "end 3"));
  auto again = build(two_runs());
  EXPECT_THAT(again.commands, IsEmpty());
  EXPECT_EQ(again.text, "2");
  EXPECT_THAT(again.told, ElementsAre("known 1", "cached 1", "known 2", "cached 2", "known 3", "cached 3"));
}

TEST_F(BuildTest, a_name_means_what_it_meant_to_the_job_before_also_when_another_job_pulls_a_newer_one) {
  images->set_rules({{"*", "oci-layout", {{"path", directory / "layout"}}}});
  auto write = [&](const std::string& version) {
    test::OciLayout layout(directory / "layout");
    layout.write_index({layout.add_image({test::TarBytes().file("out", version).bytes()}, nlohmann::json::object())});
  };
  auto pull = [&](image::JobImages& job) { ASSERT_TRUE(job.resolve("base:1", [](const std::string&) {}, {})); };
  write("one");
  image::JobImages mine(*images, proto::PullPolicy::missing);
  pull(mine);
  write("two");
  image::JobImages others(*images, proto::PullPolicy::always);
  pull(others);

  Recipe recipe;
  recipe.graph.steps.push_back({graph::ImageOp{"base:1"}, std::nullopt, "+t", "FROM base:1", {}});
  for (const auto& [names, text] : {std::pair(&mine, "one"), std::pair(&others, "two")}) {
    Told told;
    auto what = request(recipe);
    what.images = names;
    Build made(*solver, what, told);
    ASSERT_TRUE(made.run());
    EXPECT_EQ(test::slurp(snapshots->layers(made.result(0).id())->back() / "out"), text);
  }
}

TEST_F(BuildTest, what_the_host_cannot_run_ends_a_build_before_it_begins) {
  const auto recipe_for = [](const std::string& platform) {
    Recipe recipe;
    const auto first = recipe.run(recipe.scratch(), "write a 1");
    const auto last = recipe.run(first, "write out 2");
    std::get<graph::ExecOp>(recipe.graph.steps[last].operation).platform = platform;
    return recipe;
  };
  auto refused = build(recipe_for("linux/s390x"));
  ASSERT_FALSE(refused.status);
  EXPECT_THAT(refused.status.error().message, HasSubstr("this host cannot run programs for linux/s390x"));
  EXPECT_EQ(refused.status.error().position->line, 3);
  EXPECT_THAT(refused.commands, IsEmpty()) << "nor what it stands on";
  directory.file("binfmt/status", "enabled\n");
  directory.file("binfmt/s390x", "enabled\ninterpreter /emulator\nflags: F\noffset 18\nmagic 0016\n");
  EXPECT_THAT(build(recipe_for("linux/s390x")).commands, ElementsAre("write a 1", "write out 2"));
  fs::remove_all(directory / "binfmt");
  EXPECT_TRUE(build(recipe_for("linux/s390x")).status) << "it is there, and runs no more";
  EXPECT_THAT(build(recipe_for("")).commands, ElementsAre("write out 2")) << "another step";
}

TEST_F(BuildTest, an_emulator_that_the_kernel_does_not_bring_along_must_be_in_the_file_system) {
  directory.file("binfmt/status", "enabled\n");
  directory.file("binfmt/s390x", "enabled\ninterpreter /emulator\nflags: \noffset 18\nmagic 0016\n");
  const auto recipe_with = [](const std::string& name) {
    Recipe recipe;
    const auto last = recipe.run(recipe.run(recipe.scratch(), "write " + name + " 1"), "write out 2");
    std::get<graph::ExecOp>(recipe.graph.steps[last].operation).platform = "linux/s390x";
    return recipe;
  };
  auto refused = build(recipe_with("other"));
  ASSERT_FALSE(refused.status);
  EXPECT_THAT(
      refused.status.error().message,
      HasSubstr("this host runs programs for linux/s390x by /emulator, which this step's file system does not"));
  EXPECT_TRUE(build(recipe_with("emulator")).status);
}

TEST_F(BuildTest, it_is_known_after_a_restart_too) {
  ASSERT_TRUE(build(two_runs()).status);
  solver.reset();
  images.reset();
  collector.reset();
  snapshots.reset();
  database.reset();
  SetUp();
  ASSERT_TRUE(snapshots->remove_unreferenced());
  EXPECT_THAT(build(two_runs()).commands, IsEmpty());
}

TEST_F(BuildTest, only_what_changed_and_what_stands_on_it_is_run) {
  ASSERT_TRUE(build(two_runs()).status);
  EXPECT_THAT(build(two_runs("write a 1", "write out 3")).commands, ElementsAre("write out 3"));
}

TEST_F(BuildTest, a_base_that_is_rebuilt_to_the_same_content_stops_there) {
  ASSERT_TRUE(build(two_runs("write a 1")).status);
  auto ran = build(two_runs("write a 1 by-another-way"));
  EXPECT_THAT(ran.commands, ElementsAre("write a 1 by-another-way"));
  EXPECT_EQ(solver->counters().hit_content, 1U);
  EXPECT_EQ(ran.text, "2");
  EXPECT_THAT(build(two_runs("write a 2")).commands, ElementsAre("write a 2", "write out 2")) << "other content";
}

TEST_F(BuildTest, a_file_that_no_copy_takes_rebuilds_nothing) {
  file("taken", "1");
  file("other", "1");
  Recipe recipe;
  recipe.run(recipe.copy(recipe.scratch(), "taken", "/out"), "print hello");
  auto first = build(recipe);
  EXPECT_THAT(first.commands, ElementsAre("print hello"));
  EXPECT_EQ(first.text, "1");
  file("other", "2");
  EXPECT_THAT(build(recipe).commands, IsEmpty());
  file("taken", "2");
  auto changed = build(recipe);
  EXPECT_THAT(changed.commands, ElementsAre("print hello"));
  EXPECT_EQ(changed.text, "2");
}

TEST_F(BuildTest, of_another_target_only_what_is_copied_counts) {
  const auto recipe = [](const std::string& other) {
    Recipe made;
    const auto source = made.run(made.run(made.scratch(), "write taken 1"), "write other " + other);
    made.run(made.copy_from(made.scratch(), source, "/taken", "/out"), "print hello");
    return made;
  };
  auto first = build(recipe("1"));
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_EQ(first.text, "1");
  auto second = build(recipe("2"));
  EXPECT_THAT(second.commands, ElementsAre("write other 2"));
  EXPECT_EQ(second.text, "1");
}

TEST_F(BuildTest, what_only_a_known_step_stands_on_is_not_even_looked_for) {
  ASSERT_TRUE(build(two_runs()).status);
  const auto before = solver->counters().hit_key.load();
  ASSERT_TRUE(build(two_runs()).status);
  EXPECT_EQ(solver->counters().hit_key, before + 1);
}

TEST_F(BuildTest, no_cache_runs_anew_for_a_step_or_a_job) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "write a 1", true), "write out 2");
  EXPECT_EQ(build(recipe).commands.size(), 2U);
  EXPECT_THAT(build(recipe).commands, ElementsAre("write a 1")) << "to the same content";
  EXPECT_THAT(build(two_runs()).commands, ElementsAre("write a 1"));
  EXPECT_THAT(build(two_runs(), true).commands, ElementsAre("write a 1", "write out 2"));
}

TEST_F(BuildTest, no_cache_of_a_target_runs_its_steps_anew_and_no_others) {
  // +lower: 0..1, +middle: 2..3, +upper: 4
  const auto recipe = [](bool anew, const std::string& wrote = "1") {
    Recipe made;
    const auto lower = made.run(made.scratch(), "write a 1");
    const auto middle = made.run(made.run(lower, "write b " + wrote), "write c 1");
    made.run(middle, "write out 2");
    made.graph.steps[2].anew = made.graph.steps[3].anew = anew;
    return made;
  };
  ASSERT_TRUE(build(recipe(false)).status);
  auto ran = build(recipe(true));
  EXPECT_THAT(ran.commands, ElementsAre("write b 1", "write c 1")) << "nor what stands on it, since it came out equal";
  EXPECT_EQ(ran.text, "2");
  EXPECT_THAT(build(recipe(false)).commands, IsEmpty()) << "and the jobs after that find what it made";

  Told told;
  const Recipe asked = recipe(true);
  Build foreseen(*solver, request(asked), told);
  using enum Build::Foresight;
  EXPECT_THAT(*foreseen.plan(), ElementsAre(cached, cached, runs, runs, may_run));

  Build made(*solver, request(asked), told);
  ASSERT_TRUE(made.run());
  std::vector<Build::Record> records;
  for (graph::StepId id = 0; id < asked.graph.steps.size(); ++id) records.push_back(made.record(id));
  for (graph::StepId id = 0; id < records.size(); ++id) {
    EXPECT_EQ(records[id].asked_to_run, id == 2 || id == 3) << id;
    EXPECT_EQ(records[id].stands_on_anew, id >= 3) << id;
  }
}

TEST_F(BuildTest, what_stands_on_a_target_that_came_out_different_is_run) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "count a"), "write out 2");
  ASSERT_TRUE(build(recipe).status);
  recipe.graph.steps[1].anew = true;
  EXPECT_THAT(build(recipe).commands, ElementsAre("count a", "write out 2"));
  recipe.graph.steps[1].anew = false;
  EXPECT_THAT(build(recipe).commands, IsEmpty());
}

TEST_F(BuildTest, a_failure_has_its_place_and_is_tried_again) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "write a 1"), "fail");
  auto ran = build(recipe);
  ASSERT_FALSE(ran.status);
  EXPECT_EQ(ran.status.error().kind, ErrorKind::step_failed);
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_EQ(ran.told.back(), "failed with 3 3");
  EXPECT_EQ(ran.status.error().exit_code, 3);
  EXPECT_THAT(build(recipe).commands, ElementsAre("fail"));
}

TEST_F(BuildTest, a_file_that_is_missing_is_said_before_anything_runs) {
  Recipe recipe;
  recipe.copy(recipe.run(recipe.scratch(), "write a 1"), "nowhere", "/x");
  auto ran = build(recipe);
  EXPECT_THAT(ran.status.error().message, HasSubstr("\"nowhere\" is not in the project directory"));
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_THAT(ran.commands, IsEmpty());
}

TEST_F(BuildTest, a_result_whose_files_somebody_removed_is_made_anew) {
  ASSERT_TRUE(build(two_runs()).status);
  for (const auto& entry : fs::directory_iterator(directory / "s")) {
    if (fs::exists(entry.path() / "out")) fs::remove_all(entry.path());
  }
  EXPECT_THAT(build(two_runs()).commands, ElementsAre("write out 2"));
}

TEST_F(BuildTest, two_hundred_targets_that_need_each_other_are_found_at_once) {
  const auto lattice = [] {
    Recipe recipe;
    const auto base = recipe.scratch();
    std::vector<graph::StepId> row(10, base);
    for (int depth = 0; depth < 10; ++depth) {
      const std::string name = std::to_string(depth);
      for (std::size_t i = 0; i < row.size(); ++i)
        row[i] = recipe.run(row[i], "write " + name + " " + std::to_string(i));
      auto next = row;
      for (std::size_t i = 0; i < row.size(); ++i) {
        next[i] = recipe.copy_from(row[i], row[(i + 1) % row.size()], "/" + name, "/from/" + name);
      }
      row = next;
    }
    return recipe;
  };
  auto first = build(lattice());
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_EQ(first.commands.size(), 100U);
  auto again = build(lattice());
  EXPECT_TRUE(again.status);
  EXPECT_THAT(again.commands, IsEmpty());
}

}  // namespace
}  // namespace ingot::solver
