#include "daemon/pipeline/kept_recipes.h"

#include <gtest/gtest.h>

namespace ingot::pipeline {
namespace {

KeptRecipes::Key key_of(const std::string& target, const std::string& earthfile = "VERSION 0.8") {
  return {{target, {}}, base::Digest::of(earthfile)};
}

graph::Graph graph_of(std::size_t steps) {
  graph::Graph graph;
  graph.steps.resize(steps);
  return graph;
}

KeptRecipes::Kept recipe(const KeptRecipes::Key& key, std::size_t steps,
                         std::vector<earthfile::Question> questions = {}) {
  return {key, std::move(questions),
          std::make_shared<const earthfile::Interpretation>(earthfile::Interpretation{graph_of(steps), {}})};
}

TEST(KeptRecipes, are_found_by_all_that_is_asked_for) {
  KeptRecipes recipes;
  recipes.keep(recipe(key_of("+a"), 1));
  ASSERT_NE(recipes.find(key_of("+a")), nullptr);
  EXPECT_EQ(recipes.find(key_of("+b")), nullptr);
  EXPECT_EQ(recipes.find(key_of("+a", "VERSION 0.7")), nullptr);
  auto with_argument = key_of("+a");
  with_argument.request.overrides["NAME"] = "value";
  EXPECT_EQ(recipes.find(with_argument), nullptr);
  auto pushing = key_of("+a");
  pushing.request.push = true;
  EXPECT_EQ(recipes.find(pushing), nullptr);
}

TEST(KeptRecipes, a_later_one_of_the_same_key_is_the_one_that_is_found) {
  KeptRecipes recipes;
  recipes.keep(recipe(key_of("+a"), 1));
  recipes.keep(recipe(key_of("+a"), 2));
  EXPECT_EQ(recipes.find(key_of("+a"))->plan->graph.steps.size(), 2U);
}

// What a recipe of so many steps takes, and somewhat more.
std::size_t room_for(std::size_t steps) {
  return steps * sizeof(graph::Step) + 2000;
}

TEST(KeptRecipes, those_that_nobody_wanted_for_the_longest_time_go) {
  KeptRecipes recipes(room_for(35));
  recipes.keep(recipe(key_of("+a"), 10));
  recipes.keep(recipe(key_of("+b"), 10));
  recipes.keep(recipe(key_of("+c"), 10));
  ASSERT_NE(recipes.find(key_of("+a")), nullptr);
  recipes.keep(recipe(key_of("+d"), 10));
  EXPECT_NE(recipes.find(key_of("+a")), nullptr);
  EXPECT_EQ(recipes.find(key_of("+b")), nullptr);
  EXPECT_NE(recipes.find(key_of("+c")), nullptr);
  EXPECT_NE(recipes.find(key_of("+d")), nullptr);
}

TEST(KeptRecipes, what_was_asked_takes_room_too_and_one_that_is_too_large_takes_none) {
  KeptRecipes recipes(room_for(35));
  recipes.keep(recipe(key_of("+a"), 10));
  recipes.keep(recipe(key_of("+b"), 10, {earthfile::ShellQuestion{graph_of(30), "/bin/dash"}}));
  EXPECT_EQ(recipes.find(key_of("+b")), nullptr);
  EXPECT_NE(recipes.find(key_of("+a")), nullptr);
  recipes.keep(recipe(key_of("+c"), 10, {earthfile::CommandQuestion{graph_of(20), {}}}));
  EXPECT_NE(recipes.find(key_of("+c")), nullptr);
  EXPECT_EQ(recipes.find(key_of("+a")), nullptr);
  // It is of no use any more, and another one has no room.
  recipes.keep(recipe(key_of("+c"), 50));
  EXPECT_EQ(recipes.find(key_of("+c")), nullptr);
}

TEST(KeptRecipes, what_they_were_asked_for_and_told_counts_by_its_bytes) {
  KeptRecipes recipes(1U << 20U);
  for (int i = 0; i < 3; ++i) {
    auto key = key_of("+a");
    key.request.overrides["NAME"] = std::string(500'000, static_cast<char>('a' + i));
    recipes.keep(recipe(key, 1));
    EXPECT_NE(recipes.find(key), nullptr);
    if (i < 2) continue;
    key.request.overrides["NAME"].assign(500'000, 'a');
    EXPECT_EQ(recipes.find(key), nullptr);
  }
  const graph::Answer answer{0, std::string(2U << 20U, 'x')};
  recipes.keep(recipe(key_of("+b"), 1, {earthfile::CommandQuestion{graph_of(1), answer}}));
  EXPECT_EQ(recipes.find(key_of("+b")), nullptr);
}

}  // namespace
}  // namespace ingot::pipeline
