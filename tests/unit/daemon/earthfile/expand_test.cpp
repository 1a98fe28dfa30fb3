#include "daemon/earthfile/expand.h"

#include <gtest/gtest.h>

namespace ingot::earthfile {
namespace {

Lookup variables() {
  return [](const std::string& name) -> std::optional<std::string> {
    if (name == "X") return "value";
    if (name == "FILE") return "a.tar.gz";
    if (name == "TWO") return "a  b";
    if (name == "EMPTY") return "";
    if (name == "BIG") return std::string(kLongestValue, 'x');
    return std::nullopt;
  };
}

std::string value_of(const std::string& text) {
  const Source source(text, "Earthfile");
  auto value = expand({text, {&source, 0}}, variables());
  return value ? *value : proto::render(value.error());
}

TEST(Expand, variables_are_replaced_and_never_split) {
  EXPECT_EQ(value_of("a$X/${X}b"), "avalue/valueb");
  EXPECT_EQ(value_of("$TWO"), "a  b");
  EXPECT_EQ(value_of("[$NONE${NONE}]"), "[]");
  EXPECT_EQ(value_of("$X_1"), "");
  EXPECT_EQ(value_of("5$ $"), "5$ $");
}

TEST(Expand, quotes_and_escapes) {
  EXPECT_EQ(value_of("'$X \\n'"), "$X \\n");
  EXPECT_EQ(value_of("\"$X 'y'\""), "value 'y'");
  EXPECT_EQ(value_of("\\$X \\\\ \\a"), "$X \\ a");
  EXPECT_EQ(value_of("\"\\$X \\a \\\"\""), "$X \\a \"");
  EXPECT_EQ(value_of("a\\"), "a\\");
  EXPECT_EQ(value_of("a\"b\"'c'"), "abc");
}

TEST(Expand, operators) {
  EXPECT_EQ(value_of("${X:-d} ${NONE:-d} ${EMPTY:-d}"), "value d d");
  EXPECT_EQ(value_of("${X-d} ${NONE-d} [${EMPTY-d}]"), "value d []");
  EXPECT_EQ(value_of("${X:+alt} [${NONE:+alt}] [${EMPTY:+alt}] ${EMPTY+alt}"), "alt [] [] alt");
  EXPECT_EQ(value_of("${FILE%.gz} ${FILE#a.} ${FILE%.x} ${FILE%%.gz}"), "a.tar tar.gz a.tar.gz a.tar");
  EXPECT_EQ(value_of("${FILE%.*}"), "a.tar.gz");
  EXPECT_EQ(value_of("${NONE:-${X}-$X}"), "value-value");
  EXPECT_EQ(value_of("${NONE:-'}'\"}\"\\}}"), "}}}");
  EXPECT_EQ(value_of("\"${NONE:-\"a b\"}\""), "a b");
}

TEST(Expand, errors_point_at_the_dollar) {
  EXPECT_EQ(value_of("ab${X:?}${NONE:?no name}"),
            "Earthfile:1:9: NONE: no name\n  ab${X:?}${NONE:?no name}\n          ^\nhint: give it a value: --NONE=...");
  EXPECT_EQ(value_of("ab$(ls)"),
            "Earthfile:1:3: $(...) has no container to run in here\n"
            "  ab$(ls)\n    ^\n"
            "hint: write the value itself");
  EXPECT_EQ(value_of("${X"), "Earthfile:1:1: \"${\" is never closed\n  ${X\n  ^\nhint: add the missing \"}\"");
  EXPECT_EQ(value_of("${X:-a"), "Earthfile:1:1: \"${\" is never closed\n  ${X:-a\n  ^\nhint: add the missing \"}\"");
  EXPECT_EQ(value_of("${}"),
            "Earthfile:1:1: \"${\" is followed by no variable's name\n  ${}\n  ^\n"
            "hint: write ${NAME}, or \\$ for a dollar");
  EXPECT_EQ(value_of("a${X/b/c}"),
            "Earthfile:1:5: \"${X\" is followed by no operation that there is\n  a${X/b/c}\n      ^\n"
            "hint: there are :- :+ :? # and %");
}

TEST(Expand, values_and_nesting_are_bounded) {
  EXPECT_EQ(value_of("$BIG").size(), kLongestValue);
  EXPECT_TRUE(value_of("a$BIG").starts_with("Earthfile:1:1: this value is longer than 128.0 KiB")) << value_of("a$BIG");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${N:-";
  EXPECT_TRUE(value_of(deep).starts_with("Earthfile:1:251: \"${\" is nested too deep here"));
}

}  // namespace
}  // namespace ingot::earthfile
