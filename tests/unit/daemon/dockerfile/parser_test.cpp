#include <gmock/gmock.h>

#include "tests/unit/daemon/dockerfile/parsing.h"

namespace ingot::dockerfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> texts(const std::vector<Word>& words) {
  std::vector<std::string> all;
  for (const auto& word : words) all.push_back(word.text);
  return all;
}

TEST(DockerfileParser, stages_have_images_names_and_platforms) {
  const File file = parsed("ARG V=1\nfrom debian:$V as Build\nRUN a\nFROM --platform=linux/amd64 build\nFROM scratch");
  ASSERT_EQ(file.stages.size(), 3U);
  EXPECT_EQ(file.args.at(0).pairs.at(0).value->text, "1");
  EXPECT_EQ(file.stages[0].image.text, "debian:$V");
  EXPECT_EQ(file.stages[0].name, "build");
  EXPECT_EQ(file.stages[0].instructions.at(0).arguments.text, "a");
  EXPECT_EQ(file.stages[1].platform->value, "linux/amd64");
  EXPECT_EQ(file.stages[1].name, "");
  EXPECT_TRUE(file.stages[2].instructions.empty());
}

TEST(DockerfileParser, lines_are_continued_and_comments_go) {
  const auto made =
      instructions("RUN one \\  \n  # comment\n\n\ttwo\\\nthree\n  # RUN no\r\nRUN x\\\\\nRUN last \\\r\n  more\r\n");
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0].arguments.text, "one \ttwothree");
  EXPECT_EQ(made[1].arguments.text, "x\\\\") << "an escape that is escaped continues nothing";
  EXPECT_EQ(made[2].arguments.text, "last   more");
}

TEST(DockerfileParser, words_have_their_places_across_lines) {
  const File file = parsed("FROM scratch\nCOPY a \\\n  b\\ c \\\n  # no\n  \"d e\"  f");
  const auto& made = file.stages.at(0).instructions;
  ASSERT_EQ(made.size(), 1U);
  EXPECT_THAT(texts(made[0].words), ElementsAre("a", "b\\ c", "\"d e\"", "f"));
  EXPECT_EQ(made[0].words[2].place.position().line, 5);
  EXPECT_EQ(made[0].words[2].place.position().column, 3);
  EXPECT_EQ(made[0].words[3].place.position().column, 10);
}

TEST(DockerfileParser, directives_stand_at_the_very_top) {
  const File file = parsed("# syntax=docker/dockerfile:1\n# Escape = `\nFROM a\nRUN x `\n y \\\nRUN z");
  EXPECT_EQ(file.escape, '`');
  ASSERT_EQ(file.stages.at(0).instructions.size(), 2U);
  EXPECT_EQ(file.stages[0].instructions[0].arguments.text, "x  y \\");
  EXPECT_EQ(parsed("# a comment\n# escape=`\nFROM a").escape, '\\');
  EXPECT_EQ(parsed("\n# escape=`\nFROM a").escape, '\\');
  EXPECT_EQ(parsed("\xef\xbb\xbf# escape=`\nFROM a").escape, '`');
}

TEST(DockerfileParser, heredocs_follow_their_line) {
  const auto made = instructions(
      "RUN <<EOF\n\\\n# kept\nEOF2\nEOF\nCOPY <<-'A' <<\"B C\" \\\n  /x/\n\t$x\n\tA\nB\nB C\n"
      "RUN cat 3<<X>f && echo '<<Y' \"<<Z\" $((1 <<2)) <<<w\nx\nX\nENV A=<<EOF");
  ASSERT_EQ(made.size(), 4U);
  ASSERT_EQ(made[0].heredocs.size(), 1U);
  EXPECT_EQ(made[0].heredocs[0].content, "\\\n# kept\nEOF2\n");
  EXPECT_TRUE(made[0].heredocs[0].expands);
  ASSERT_EQ(made[1].heredocs.size(), 2U);
  EXPECT_EQ(made[1].heredocs[0].name, "A");
  EXPECT_EQ(made[1].heredocs[0].content, "\t$x\n");
  EXPECT_EQ(made[1].heredocs[0].lines(), "$x\n");
  EXPECT_FALSE(made[1].heredocs[0].expands);
  EXPECT_EQ(made[1].heredocs[1].name, "B C");
  EXPECT_EQ(made[1].heredocs[1].content, "B\n");
  ASSERT_EQ(made[2].heredocs.size(), 1U);
  EXPECT_EQ(made[2].heredocs[0].name, "X");
  EXPECT_TRUE(made[3].heredocs.empty()) << "ENV knows none";
}

TEST(DockerfileParser, the_exec_form_is_json_and_nothing_else) {
  const auto made = instructions(
      "RUN [\"a\", \"b \\\"c\\\"\"]\nRUN [ -f x ] && y\nCMD []\nENTRYPOINT ['a']\nVOLUME [\"/a b\"]\n"
      "HEALTHCHECK --retries=3 CMD [\"x\"]\nHEALTHCHECK none\nRUN [1]");
  ASSERT_EQ(made.size(), 8U);
  EXPECT_THAT(*made[0].exec, ElementsAre("a", "b \"c\""));
  EXPECT_FALSE(made[1].exec);
  EXPECT_TRUE(made[2].exec && made[2].exec->empty());
  EXPECT_FALSE(made[3].exec);
  EXPECT_THAT(*made[4].exec, ElementsAre("/a b"));
  EXPECT_THAT(*made[5].exec, ElementsAre("x"));
  EXPECT_EQ(made[5].find("retries")->value, "3");
  EXPECT_TRUE(made[6].words.empty());
  EXPECT_FALSE(made[7].exec);
}

TEST(DockerfileParser, flags_end_at_the_first_word_that_is_none) {
  const auto made = instructions(
      "RUN --mount=type=cache,target=/a --mount=type=tmpfs,\"target=/b c\" --network=none -- --x\n"
      "COPY --link --from=b /x /y\nCMD --not-a-flag");
  ASSERT_EQ(made.size(), 3U);
  ASSERT_EQ(made[0].flags.size(), 3U);
  EXPECT_EQ(made[0].flags[1].value, "type=tmpfs,target=/b c");
  EXPECT_EQ(made[0].arguments.text, "--x");
  EXPECT_EQ(made[1].find("link")->value, "true");
  EXPECT_EQ(made[1].find("from")->value, "b");
  EXPECT_EQ(made[1].find("chown"), nullptr);
  EXPECT_EQ(made[2].arguments.text, "--not-a-flag");
}

TEST(DockerfileParser, pairs) {
  const auto made = instructions("ENV A=1 B=\"x y\" C=d\\ e\nENV  OLD  a  b=c\nLABEL \"k k\"=v x.y=\nARG A B=2");
  ASSERT_EQ(made.size(), 4U);
  ASSERT_EQ(made[0].pairs.size(), 3U);
  EXPECT_EQ(made[0].pairs[1].value->text, "\"x y\"");
  EXPECT_EQ(made[0].pairs[2].value->text, "d\\ e");
  EXPECT_EQ(made[1].pairs.at(0).name.text, "OLD");
  EXPECT_EQ(made[1].pairs.at(0).value->text, "a  b=c");
  EXPECT_EQ(made[2].pairs.at(0).name.text, "\"k k\"");
  EXPECT_EQ(made[2].pairs.at(1).value->text, "");
  EXPECT_FALSE(made[3].pairs.at(0).value);
  EXPECT_EQ(made[3].pairs.at(1).value->text, "2");
}

TEST(DockerfileParser, errors) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"",
       "Dockerfile:1:1: this Dockerfile has no FROM\nhint: it says what a stage starts from, such as FROM "
       "debian:bookworm"},
      {"FORM a",
       "Dockerfile:1:1: \"FORM\" is no instruction of Dockerfiles\n  FORM a\n  ^\nhint: did you mean \"FROM\"?"},
      {"RUN x\nFROM a", "Dockerfile:1:1: RUN stands before any FROM\n  RUN x\n  ^\nhint: only ARG may"},
      {"FROM a AS",
       "Dockerfile:1:8: behind its image FROM takes AS and a name\n  FROM a AS\n         ^\nhint: such as FROM "
       "debian:bookworm AS build"},
      {"FROM a AS b c",
       "Dockerfile:1:13: FROM takes no more than 3 words\n  FROM a AS b c\n              ^\nhint: such as FROM "
       "debian:bookworm AS build"},
      {"FROM a AS 1",
       "Dockerfile:1:11: \"1\" is no name for a stage\n  FROM a AS 1\n            ^\nhint: letters, digits, \"-\", "
       "\"_\" and \".\", a letter first"},
      {"FROM a\nCOPY x",
       "Dockerfile:2:1: COPY needs a source and a destination\n  COPY x\n  ^\nhint: such as COPY src/ /src/"},
      {"FROM a\nRUN", "Dockerfile:2:1: RUN needs more than its name\n  RUN\n  ^\nhint: such as RUN make"},
      {"FROM a\nCOPY --form=b x y",
       "Dockerfile:2:6: COPY has no flag --form\n  COPY --form=b x y\n       ^\nhint: did you mean \"--from\"?"},
      {"FROM a\nCOPY --from b x",
       "Dockerfile:2:6: --from needs a value\n  COPY --from b x\n       ^\nhint: --from=..."},
      {"FROM a\nENV A", "Dockerfile:2:5: ENV: A has no value\n  ENV A\n      ^\nhint: write ENV NAME=value"},
      {"FROM a\nENV A=1 B",
       "Dockerfile:2:9: ENV takes NAME=value, not \"B\"\n  ENV A=1 B\n          ^\nhint: put a value with spaces into "
       "double quotes"},
      {"FROM a\nSHELL bash",
       "Dockerfile:2:1: SHELL takes a list of words in double quotes\n  SHELL bash\n  ^\nhint: SHELL [\"/bin/bash\", "
       "\"-c\"]"},
      {"FROM a\nHEALTHCHECK curl x",
       "Dockerfile:2:13: HEALTHCHECK is followed by CMD and a command, or by NONE\n  HEALTHCHECK curl x\n             "
       " ^\nhint: HEALTHCHECK --interval=30s CMD curl -f http://localhost/"},
      {"FROM a\nRUN \\\n  cat <<EOF\nx",
       "Dockerfile:3:7: the heredoc <<EOF is never closed\n    cat <<EOF\n        ^\nhint: a line that is EOF and "
       "nothing else closes it"},
      {"# escape=x\nFROM a", "Dockerfile:1:1: escape is \\ or `, not \"x\"\n  # escape=x\n  ^\nhint: # escape=`"},
      {"# syntax=a\n# syntax=b\nFROM a",
       "Dockerfile:2:1: there are two directives \"syntax\"\n  # syntax=b\n  ^\nhint: leave one of them out"},
      {"FROM a\nUSER a b",
       "Dockerfile:2:8: USER takes no more than 1 word\n  USER a b\n         ^\nhint: such as USER build, or USER "
       "1000:1000"},
  };
  for (const auto& one : cases) EXPECT_EQ(syntax_errors(one.text), one.error) << one.text;
}

TEST(DockerfileParser, several_errors_are_told_at_once_and_not_too_many) {
  const std::string errors = syntax_errors("FROM\nRNU x\nCOPY a\nRUN ok\nENV");
  EXPECT_THAT(errors, HasSubstr("Dockerfile:1:1: FROM needs more"));
  EXPECT_THAT(errors, HasSubstr("Dockerfile:2:1: \"RNU\""));
  EXPECT_THAT(errors, HasSubstr("Dockerfile:3:1: COPY"));
  EXPECT_THAT(errors, HasSubstr("Dockerfile:5:1: ENV"));
  EXPECT_EQ(errors.find(":4:"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "NONSENSE\n";
  auto file = parse(many, "Dockerfile");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().size(), 20U);
}

}  // namespace
}  // namespace ingot::dockerfile
