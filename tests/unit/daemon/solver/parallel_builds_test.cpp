#include "tests/unit/daemon/solver/played_builds.h"

// Steps and builds at the same time.
namespace ingot::solver {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST_F(BuildTest, what_does_not_stand_on_each_other_runs_side_by_side) {
  Recipe recipe;
  const auto base = recipe.scratch();
  const auto left = recipe.run(base, "wait left");
  const auto right = recipe.run(base, "wait right");
  recipe.copy_from(left, right, "/", "/all");
  std::thread release([&] {
    while (sandbox.count() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    sandbox.let_go = true;
  });
  auto ran = build(recipe);
  release.join();
  EXPECT_TRUE(ran.status) << proto::render(ran.status.error());
  EXPECT_THAT(ran.commands, UnorderedElementsAre("wait left", "wait right"));
  EXPECT_EQ(sandbox.most_at_once(), 2);
}

TEST_F(BuildTest, equal_steps_of_builds_at_the_same_time_run_once_with_their_output_in_every_log) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "print hello"), "wait here");
  constexpr int kBuilds = 8;
  std::vector<std::thread> threads;
  std::vector<Told> told(kBuilds);
  std::atomic<int> good = 0;
  for (int i = 0; i < kBuilds; ++i) {
    threads.emplace_back([&, i] {
      Build made(*solver, request(recipe), told[static_cast<std::size_t>(i)]);
      if (made.run()) ++good;
    });
  }
  while (solver->counters().merged < kBuilds - 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  sandbox.let_go = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, kBuilds);
  EXPECT_THAT(sandbox.take_commands(), ElementsAre("print hello", "wait here"));
  for (auto& one : told) {
    const auto lines = one.lines();
    EXPECT_TRUE(std::count(lines.begin(), lines.end(), "2: hello\n") == 1 ||
                std::count(lines.begin(), lines.end(), "cached 2") == 1)
        << testing::PrintToString(lines);
  }
}

TEST_F(BuildTest, a_build_that_is_canceled_does_not_end_what_another_waits_for) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "wait here");
  Told stays_told;
  std::optional<Status> stays;
  std::thread other([&] {
    BuildRequest wanted = request(recipe);
    wanted.cancel = {};
    Build made(*solver, wanted, stays_told);
    stays = made.run();
  });
  std::optional<Status> leaves;
  std::thread leaving([&] {
    Told told;
    Build made(*solver, request(recipe), told);
    leaves = made.run();
  });
  while (solver->counters().merged < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  cancel.cancel();
  leaving.join();
  EXPECT_EQ(leaves->error().kind, ErrorKind::canceled);
  sandbox.let_go = true;
  other.join();
  EXPECT_TRUE(*stays);
  EXPECT_EQ(sandbox.count(), 1U);
}

TEST_F(BuildTest, the_last_build_that_is_canceled_leaves_nothing_behind) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "wait here");
  std::thread canceling([&] {
    while (sandbox.count() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    cancel.cancel();
  });
  auto ran = build(recipe);
  canceling.join();
  EXPECT_EQ(ran.status.error().kind, ErrorKind::canceled);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

}  // namespace
}  // namespace ingot::solver
