#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

// Files made to take for ever, or all memory, end in an error soon.
namespace ingot::earthfile {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TEST(InterpreterBounds, commands) {
  // Each target refers twice to the next with other arguments: 2^40 without a bound.
  std::string wide = "VERSION 0.8\nFROM scratch\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "t" + std::to_string(i + 1);
    wide +=
        "t" + std::to_string(i) + ":\n    ARG P\n    FROM +" + next + " --P=${P}a\n    FROM +" + next + " --P=${P}b\n";
  }
  wide += "t40:\n";
  EXPECT_THAT(error_of(wide, "+t0"), HasSubstr("the target takes more than"));
}

TEST(InterpreterBounds, the_same_reference_is_interpreted_once) {
  std::string same = "VERSION 0.8\nFROM scratch\n";
  for (int i = 0; i < 90; ++i) {
    const std::string next = "t" + std::to_string(i + 1);
    same += "t" + std::to_string(i) + ":\n    FROM +" + next + "\n    FROM +" + next + "\n";
  }
  EXPECT_EQ(error_of(same + "t90:\n", "+t0"), "");
}

TEST(InterpreterBounds, depth) {
  std::string deep = "VERSION 0.8\n";
  for (int i = 0; i < 5000; ++i) deep += "t" + std::to_string(i) + ":\n    FROM +t" + std::to_string(i + 1) + "\n";
  EXPECT_THAT(error_of(deep, "+t0"), HasSubstr("more than 100 targets stand on each other here"));
}

TEST(InterpreterBounds, values) {
  std::string doubling = "VERSION 0.8\nt:\n    FROM scratch\n    LET x=xxxxxxxx\n";
  for (int i = 0; i < 60; ++i) doubling += "    SET x=$x$x\n";
  EXPECT_THAT(error_of(doubling), HasSubstr("this value is longer than 128.0 KiB"));
}

TEST(InterpreterBounds, variables) {
  std::string scope = "VERSION 0.8\nt:\n    FROM scratch\n    LET x=" + std::string(100'000, 'x') + "\n";
  for (int i = 0; i < 60; ++i) scope += "    LET x" + std::to_string(i) + "=$x\n";
  EXPECT_THAT(error_of(scope), HasSubstr("the variables of +t are together larger than 2.0 MiB"));
}

TEST(InterpreterBounds, memory_for_many_large_scopes) {
  std::string wide = "VERSION 0.8\nFROM scratch\nARG --global a=" + std::string(120'000, 'x') + "\n";
  for (int i = 0; i < 7; ++i) wide += "ARG --global a" + std::to_string(i) + "=$a\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "t" + std::to_string(i + 1);
    wide +=
        "t" + std::to_string(i) + ":\n    ARG P\n    FROM +" + next + " --P=${P}a\n    FROM +" + next + " --P=${P}b\n";
  }
  EXPECT_THAT(error_of(wide + "t40:\n", "+t0"), HasSubstr("the target takes more than 50000 commands to interpret"));
}

TEST(InterpreterBounds, steps) {
  std::string graph = "VERSION 0.8\nt:\n    FROM scratch\n    LET x=" + std::string(120'000, 'x') + "\n";
  for (int i = 0; i < 2000; ++i) graph += "    RUN x" + std::to_string(i) + "\n";
  EXPECT_THAT(error_of(graph), HasSubstr("the target's steps and their variables are together too large to build"));
}

}  // namespace
}  // namespace ingot::earthfile
