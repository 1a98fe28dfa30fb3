#include "daemon/dockerfile/expand.h"

#include <gtest/gtest.h>

#include <map>

namespace ingot::dockerfile {
namespace {

const Lookup kLookup = [](const std::string& name) -> std::optional<std::string> {
  static const std::map<std::string, std::string> kVariables = {
      {"A", "one"}, {"EMPTY", ""}, {"PATH_LIKE", "a/b/c.tar.gz"}, {"SPACED", "x  y"}};
  auto found = kVariables.find(name);
  return found == kVariables.end() ? std::nullopt : std::optional(found->second);
};

std::string value_of(const std::string& text, char escape = '\\') {
  const Source source(text, "Dockerfile");
  auto value = expand({text, {&source, 0}}, escape, kLookup);
  return value ? *value : proto::render(value.error());
}

TEST(DockerfileExpand, words_get_their_values) {
  const std::map<std::string, std::string> cases = {{"plain", "plain"},
                                                    {"$A", "one"},
                                                    {"x${A}y$Ax", "xoney"},
                                                    {"$NONE-", "-"},
                                                    {"\"$A $SPACED\"", "one x  y"},
                                                    {"'$A \\'", "$A \\"},
                                                    {"a' 'b\" \"", "a b "},
                                                    {"\\$A\\ \\\"", "$A \""},
                                                    {"\"\\$A \\\" \\x \\\\\"", "$A \" \\x \\"},
                                                    {"$", "$"},
                                                    {"a$ b", "a$ b"},
                                                    {"${A:-d}${NONE:-d}${EMPTY:-d}${EMPTY-d}", "onedd"},
                                                    {"${A:+a}${NONE:+a}${EMPTY:+a}${EMPTY+a}", "aa"},
                                                    {"${A:?no}${EMPTY?no}", "one"},
                                                    {"${NONE:-${A}-$NONE}", "one-"},
                                                    {"${NONE:-\"a}\"}", "a}"},
                                                    {"${PATH_LIKE#*/}", "b/c.tar.gz"},
                                                    {"${PATH_LIKE##*/}", "c.tar.gz"},
                                                    {"${PATH_LIKE%.*}", "a/b/c.tar"},
                                                    {"${PATH_LIKE%%.*}", "a/b/c"},
                                                    {"${PATH_LIKE#x}", "a/b/c.tar.gz"},
                                                    {"${PATH_LIKE%???}", "a/b/c.tar"},
                                                    {"trailing\\", "trailing\\"},
                                                    {"", ""}};
  for (const auto& [text, value] : cases) EXPECT_EQ(value_of(text), value) << text;
  EXPECT_EQ(value_of("C:\\x`$A", '`'), "C:\\x$A");
}

TEST(DockerfileExpand, errors) {
  EXPECT_EQ(value_of("ab\"c"),
            "Dockerfile:1:3: this quote is never closed\n  ab\"c\n    ^\nhint: write \\\" for the character itself");
  EXPECT_EQ(value_of("a${A"), "Dockerfile:1:2: \"${\" is never closed\n  a${A\n   ^\nhint: add the missing \"}\"");
  EXPECT_EQ(value_of("${1}"),
            "Dockerfile:1:1: \"${\" is followed by no variable's name\n  ${1}\n  ^\nhint: write ${NAME}, or \\$ for a "
            "dollar");
  EXPECT_EQ(value_of("${A/x/y}"),
            "Dockerfile:1:4: \"${A\" is followed by no operation that there is\n  ${A/x/y}\n     ^\nhint: there are "
            ":- :+ :? - + ? # ## % and %%");
  EXPECT_EQ(value_of("${NONE:?give it}"),
            "Dockerfile:1:1: NONE: give it\n  ${NONE:?give it}\n  ^\nhint: give it a value: --build-arg NONE=...");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "${NONE:-";
  EXPECT_NE(value_of(deep).find("nested too deep"), std::string::npos);
}

TEST(DockerfileExpand, a_value_that_doubles_ends) {
  std::string value = "x";
  const Lookup doubling = [&](const std::string&) { return std::optional(value); };
  const Source source("", "Dockerfile");
  for (int i = 0; i < 40; ++i) {
    auto next = expand({"$V$V", {&source, 0}}, '\\', doubling);
    if (!next) {
      EXPECT_EQ(next.error().kind, ErrorKind::too_large);
      return;
    }
    value = *next;
  }
  FAIL() << value.size();
}

TEST(DockerfileExpand, in_heredocs_quotes_are_characters) {
  Heredoc heredoc;
  heredoc.content = "\t\"$A\" 'it''s' \\$A \\n\n\t$NONE.\n";
  EXPECT_EQ(*expand_lines(heredoc, '\\', kLookup), "\t\"one\" 'it''s' $A \\n\n\t.\n");
  heredoc.strips_tabs = true;
  EXPECT_EQ(*expand_lines(heredoc, '\\', kLookup), "\"one\" 'it''s' $A \\n\n.\n");
  heredoc.expands = false;
  EXPECT_EQ(*expand_lines(heredoc, '\\', kLookup), "\"$A\" 'it''s' \\$A \\n\n$NONE.\n");
}

}  // namespace
}  // namespace ingot::dockerfile
