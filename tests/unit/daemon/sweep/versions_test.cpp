#include "daemon/sweep/versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kKnown = {"1.32.3", "1.9.1", "1.31.4", "1.31.10", "1.32.0", "1.30.2"};

std::vector<std::string> selected(const std::string& wanted) {
  const auto found = select_versions(wanted, kKnown, "k3s");
  return found ? *found : std::vector<std::string>{"refused: " + found.error().message + " | " + found.error().hint};
}

TEST(Versions, compare_as_numbers) {
  EXPECT_TRUE(is_older("1.9.1", "1.10.0"));
  EXPECT_FALSE(is_older("1.10.0", "1.9.1"));
  EXPECT_FALSE(is_older("1.32.3", "1.32.3"));
  EXPECT_TRUE(is_older("1.32.0-rc1", "1.32.0"));
  EXPECT_FALSE(is_older("1.32.0", "1.32.0-rc1"));
  EXPECT_TRUE(is_older("1.32.0", "1.32.0.1"));
}

TEST(Versions, are_meant_by_ranges) {
  EXPECT_THAT(selected("all"), ElementsAre("1.9.1", "1.30.2", "1.31.4", "1.31.10", "1.32.0", "1.32.3"));
  EXPECT_THAT(selected("latest"), ElementsAre("1.32.3"));
  EXPECT_THAT(selected("latest 2"), ElementsAre("1.32.0", "1.32.3"));
  EXPECT_THAT(selected("latest 3 minors"), ElementsAre("1.30.2", "1.31.10", "1.32.3"));
  EXPECT_THAT(selected("latest 99"), testing::SizeIs(6));
  EXPECT_THAT(selected("1.31.x"), ElementsAre("1.31.4", "1.31.10"));
  EXPECT_THAT(selected("1.30.x - 1.31.4"), ElementsAre("1.30.2", "1.31.4"));
  EXPECT_THAT(selected("1.31.5 - 1.32.x"), ElementsAre("1.31.10", "1.32.0", "1.32.3"));
  EXPECT_THAT(selected("1.9.1"), ElementsAre("1.9.1"));
}

TEST(Versions, a_range_that_matches_nothing_tells_what_there_is) {
  EXPECT_THAT(selected("1.99.x"),
              ElementsAre(HasSubstr("\"1.99.x\" is no version of k3s | there are 1.9.x, 1.30.x, 1.31.x, 1.32.x, from "
                                    "1.9.1 to 1.32.3; a range is all, latest")));
  EXPECT_THAT(selected("1.3"), ElementsAre(HasSubstr("no version of k3s")));
  EXPECT_THAT(selected("latest 0"), ElementsAre(HasSubstr("no version of k3s")));
  EXPECT_THAT(selected("1.32.x - 1.30.x"), ElementsAre(HasSubstr("no version of k3s")));
  EXPECT_THAT(select_versions("all", {}, "rke2").error().hint, HasSubstr("there is none"));
}

}  // namespace
}  // namespace ingot::sweep
