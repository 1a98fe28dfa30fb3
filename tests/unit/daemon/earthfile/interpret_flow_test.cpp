#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

// IF, FOR, WAIT and $(...): what is taken, and what is asked of the container for it.
namespace ingot::earthfile::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Flow : public ::testing::Test {
 protected:
  // The commands of the RUNs that are left.
  std::vector<std::string> runs(std::string_view lines, const std::map<std::string, std::string>& overrides = {},
                                std::string_view version = "VERSION 0.8") {
    host.questions.clear();
    const File file = parsed(in_target(lines, version));
    auto result = interpret(file, {"+t", overrides}, host);
    std::vector<std::string> commands;
    if (!result) {
      error = proto::render(result.error());
      return {"failed"};
    }
    open = result->open_question;
    for (const auto& exec : steps_of<graph::ExecOp>(result->graph)) commands.push_back(exec.command);
    return commands;
  }
  FakeHost host;
  std::string error;
  std::optional<proto::Position> open;
};

TEST_F(Flow, the_first_branch_that_holds_is_taken) {
  const std::string lines =
      "ARG X\nIF [ \"$X\" = a ]\n  RUN a\nELSE IF [ \"$X\" = b ]\n  RUN b\nELSE\n  RUN else\nEND\nRUN end";
  EXPECT_THAT(runs(lines, {{"X", "a"}}), ElementsAre("a", "end"));
  EXPECT_THAT(runs(lines, {{"X", "b"}}), ElementsAre("b", "end"));
  EXPECT_THAT(runs(lines), ElementsAre("else", "end"));
  EXPECT_THAT(host.questions, IsEmpty()) << "what only looks at variables needs no container";
  EXPECT_THAT(runs("ARG X\nIF [ \"$X\" = a ]\n  RUN a\nEND"), IsEmpty());
}

TEST_F(Flow, what_looks_at_the_file_system_is_asked_of_the_container_where_it_stands) {
  host.answers["test -f /x"] = graph::Answer{0, ""};
  EXPECT_THAT(runs("RUN before\nIF test -f /x\n  RUN yes\nEND"), ElementsAre("before", "yes"));
  EXPECT_THAT(host.questions, ElementsAre("test -f /x"));
  host.answers["test -f /x"] = graph::Answer{127, ""};
  EXPECT_THAT(runs("IF ! test -f /y && test -f /x\n  RUN yes\nELSE\n  RUN no\nEND"), ElementsAre("no"));
}

TEST_F(Flow, where_shells_differ_the_images_own_decides) {
  const std::string lines = "ARG X=abc\nIF [[ \"$X\" =~ ^a ]]\n  RUN yes\nELSE\n  RUN no\nEND";
  EXPECT_THAT(runs(lines), ElementsAre("no")) << "dash knows no [[";
  host.shell = "/usr/bin/bash";
  EXPECT_THAT(runs(lines), ElementsAre("yes"));
  EXPECT_THAT(host.questions, IsEmpty());
  host.shell = "";
  EXPECT_THAT(runs(lines), ElementsAre("no"));
  EXPECT_THAT(host.questions, ElementsAre("[[ \"$X\" =~ ^a ]]")) << "nobody knows what this one is";
}

TEST_F(Flow, what_the_runtime_sets_is_not_taken_for_empty) {
  (void)runs("IF [ -z \"$HOSTNAME\" ]\n  RUN yes\nEND");
  EXPECT_THAT(host.questions, ElementsAre("[ -z \"$HOSTNAME\" ]"));
}

TEST_F(Flow, a_body_is_no_scope) {
  EXPECT_THAT(runs("IF true\n  ARG X=1\n  LET y=2\nEND\nIF [ $X$y = 12 ]\n  RUN both\nEND"), ElementsAre("both"));
}

TEST_F(Flow, a_question_leaves_nothing_in_the_file_system) {
  host.answers["touch /x"] = graph::Answer{0, ""};
  const File file = parsed(in_target("IF touch /x\n  RUN yes\nEND"));
  const auto graph = interpret(file, {"+t", {}}, host)->graph;
  ASSERT_EQ(graph.steps.size(), 2U);
  EXPECT_EQ(graph.steps[1].parent, 0U) << "the RUN stands on the FROM";
  EXPECT_EQ(graph.steps[1].number, 3U) << "the question was the second";
}

TEST_F(Flow, for_goes_through_the_words) {
  const std::string lines = "ARG LIST=\"a b  c\"\nFOR x IN $LIST d\n  RUN echo $x\nEND";
  EXPECT_EQ(runs(lines).size(), 4U);
  EXPECT_THAT(host.questions, IsEmpty());
  const File file = parsed(in_target(lines));
  std::vector<std::string> values;
  for (const auto& exec : steps_of<graph::ExecOp>(interpret(file, {"+t", {}}, host)->graph)) {
    for (const auto& [name, value] : exec.env) {
      if (name == "x") values.push_back(value);
    }
  }
  EXPECT_THAT(values, ElementsAre("a", "b", "c", "d"));
}

TEST_F(Flow, the_line_break_of_echo_is_no_part_of_the_last_word) {
  host.answers["echo $(list)"] = graph::Answer{0, "a b,c\n"};
  EXPECT_THAT(runs("FOR --sep=, X IN $(list)\nIF [ \"$X\" = c ]\nRUN last\nEND\nEND"), ElementsAre("last"));
}

TEST_F(Flow, privileges_are_asked_for_where_a_condition_needs_none) {
  host.answers["true"] = graph::Answer{0, ""};
  runs("IF --privileged true\nRUN x\nEND");
  EXPECT_THAT(host.questions, ElementsAre("true"));
}

TEST_F(Flow, for_asks_the_shell_where_words_are_more_than_words) {
  host.answers["echo /etc/*.conf"] = graph::Answer{0, "/etc/a.conf /etc/b.conf\n"};
  EXPECT_EQ(runs("FOR f IN /etc/*.conf\n  RUN cat $f\nEND").size(), 2U);
  host.answers["echo $(ls)"] = graph::Answer{3, "one\n"};
  EXPECT_EQ(runs("FOR f IN $(ls)\n  RUN cat $f\nEND").size(), 1U) << "whatever its end was";
  EXPECT_THAT(runs("FOR f IN\n  RUN cat $f\nEND\nRUN end"), ElementsAre("end"));
  EXPECT_EQ(runs("FOR --sep=, f IN a,b c\n  RUN cat $f\nEND").size(), 2U);
}

TEST_F(Flow, the_name_of_a_for_ends_with_it) {
  EXPECT_THAT(runs("ARG x=own\nFOR x IN 1\n  RUN inside\nEND\nIF [ $x = own ]\n  RUN outside\nEND"),
              ElementsAre("inside", "outside"));
}

TEST_F(Flow, shell_out_gives_a_value_in_every_place) {
  host.answers["uname -m"] = graph::Answer{0, "x86_64\n"};
  host.answers["printf 'a\\n\\n'"] = graph::Answer{0, "a\n\n"};
  const auto seen = [&](const std::string& lines, const std::string& name) {
    const File file = parsed(in_target(lines + "\nRUN x"));
    auto result = interpret(file, {"+t", {}}, host);
    EXPECT_TRUE(result) << proto::render(result.error());
    return result ? seen_by_run(result->graph, name) : "";
  };
  EXPECT_EQ(seen("ARG M=$(uname -m)", "M"), "x86_64");
  EXPECT_EQ(seen("LET m=\"is $(uname -m)!\"", "m"), "is x86_64!");
  EXPECT_EQ(seen("ENV M=$(uname -m)", "M"), "x86_64");
  EXPECT_EQ(seen("ARG M=$(printf 'a\\n\\n')", "M"), "a\n") << "one line break goes";
  EXPECT_EQ(seen("ARG M='$(uname -m)'", "M"), "$(uname -m)");
  EXPECT_EQ(seen("ARG M=${N:-$(uname -m)}", "M"), "x86_64");
}

TEST_F(Flow, shell_out_that_fails_says_so) {
  host.answers["false"] = graph::Answer{4, ""};
  EXPECT_THAT(runs("ARG M=$(false)"), ElementsAre("failed"));
  EXPECT_THAT(error, HasSubstr("Earthfile:4:11: the command in $(...) ended with exit code 4"));
  EXPECT_THAT(runs("ARG M=$(a"), ElementsAre("failed"));
  EXPECT_THAT(error, HasSubstr("\"$(\" is never closed"));
}

TEST_F(Flow, what_nothing_may_run_for_ends_the_graph_there) {
  host.answers["test -f /x"] = std::nullopt;
  (void)runs("RUN before\nIF test -f /x\n  RUN yes\nEND");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->line, 5);
  host.shell = std::nullopt;
  (void)runs("IF [[ a =~ a ]]\n  RUN yes\nEND");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->line, 4);
}

TEST_F(Flow, try_takes_one_run_and_finally_only_what_is_saved) {
  const std::string version = "VERSION --try 0.8";
  EXPECT_THAT(runs("TRY\n  RUN a\nFINALLY\n  SAVE ARTIFACT /x AS LOCAL x\nEND\nRUN b", {}, version),
              ElementsAre("a", "b"));
  EXPECT_THAT(error_of(in_target("TRY\n  RUN a\nEND")), HasSubstr("TRY needs VERSION --try"));
  const auto refused = [&](const std::string& lines) { return error_of(in_target(lines, version)); };
  EXPECT_THAT(refused("TRY now\n  RUN a\nEND"), HasSubstr("Earthfile:4:9: TRY takes no arguments"));
  EXPECT_THAT(refused("TRY\n  RUN a\n  RUN b\nEND"), HasSubstr("Earthfile:6:7: TRY takes one RUN"));
  EXPECT_THAT(refused("TRY\n  COPY a b\nEND"), HasSubstr("Earthfile:5:7: TRY takes one RUN"));
  EXPECT_THAT(refused("TRY\n  RUN a\nCATCH\n  RUN b\nEND"), HasSubstr("Earthfile:6:5: CATCH"));
  EXPECT_THAT(refused("TRY\n  RUN a\nFINALLY\n  RUN b\nEND"), HasSubstr("Earthfile:7:7: FINALLY takes SAVE ARTIFACT"));
  EXPECT_THAT(refused("TRY\n  RUN a\nFINALLY\n  SAVE ARTIFACT /x\nEND"), HasSubstr("FINALLY takes SAVE ARTIFACT"));
}

TEST_F(Flow, wait_runs_what_is_inside) {
  EXPECT_THAT(runs("WAIT\n  RUN a\nEND\nRUN b"), ElementsAre("a", "b"));
  EXPECT_THAT(error_of(in_target("WAIT for it\n  RUN a\nEND")), HasSubstr("WAIT takes no arguments"));
}

TEST_F(Flow, what_cannot_be_is_said) {
  EXPECT_THAT(error_of(in_target("IF\n  RUN a\nEND")), HasSubstr("IF needs a condition"));
  EXPECT_THAT(error_of(in_target("FOR x of a\n  RUN a\nEND")), HasSubstr("FOR needs a name, IN"));
  EXPECT_THAT(error_of("VERSION 0.8\nARG X=$(true)\nt:\n  FROM debian:bookworm\n"), HasSubstr("comes before any FROM"));
  EXPECT_THAT(error_of("VERSION 0.8\nt:\n  IF true\n    RUN a\n  END\n"), HasSubstr("comes before any FROM"));
}

// A million words are no million commands.
TEST_F(Flow, a_loop_is_bounded) {
  std::string words;
  for (int i = 0; i < 100'000; ++i) words += " w";
  EXPECT_THAT(error_of(in_target("FOR x IN" + words + "\n  ARG y\nEND", "VERSION 0.7")),
              HasSubstr("more than 50000 commands"));
}

}  // namespace
}  // namespace ingot::earthfile::testing
