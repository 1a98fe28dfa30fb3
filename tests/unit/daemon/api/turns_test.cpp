#include "daemon/api/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ingot::api {
namespace {

using testing::ElementsAre;

class TurnsTest : public testing::Test {
 protected:
  Turns turns;
  std::vector<std::string> told;

  bool take(const std::string& who, bool makes_it = true) {
    return turns.take("thing", [this, who, makes_it](bool made) {
      told.push_back(who + (made ? " has it" : makes_it ? " makes it" : " is gone"));
      return makes_it;
    });
  }
};

TEST_F(TurnsTest, one_makes_it_for_all) {
  EXPECT_TRUE(take("a"));
  EXPECT_FALSE(take("b"));
  EXPECT_FALSE(take("c"));
  EXPECT_TRUE(turns.take("other", {})) << "nobody waits for something else";
  turns.end("thing", true);
  EXPECT_THAT(told, ElementsAre("b has it", "c has it"));
  EXPECT_TRUE(take("d")) << "it is over";
}

TEST_F(TurnsTest, the_next_that_is_still_there_takes_over) {
  EXPECT_TRUE(take("a"));
  EXPECT_FALSE(take("b", false));
  EXPECT_FALSE(take("c"));
  EXPECT_FALSE(take("d"));
  turns.end("thing", false);
  EXPECT_THAT(told, ElementsAre("b is gone", "c makes it"));
  EXPECT_FALSE(take("e"));
  turns.end("thing", true);
  EXPECT_THAT(told, ElementsAre("b is gone", "c makes it", "d has it", "e has it"));
}

TEST_F(TurnsTest, when_nobody_is_left_it_is_free_again) {
  EXPECT_TRUE(take("a"));
  EXPECT_FALSE(take("b", false));
  turns.end("thing", false);
  EXPECT_TRUE(take("c"));
  turns.end("thing", false);
  EXPECT_TRUE(take("d"));
}

}  // namespace
}  // namespace ingot::api
