#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/conformance/case_runner.h"
#include "tests/support/temp.h"

// What reads and runs cases can tell right from wrong.
namespace ingot::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Builds as an Earthfile's words say: "RUN print X" prints, "RUN save X" saves, "false" fails.
class ObedientBuilder : public Builder {
 public:
  std::filesystem::path project() const override { return directory_.path(); }
  test::RunResult shell(const std::string&) override {
    test::RunResult result;
    std::ifstream file(directory_ / "Earthfile");
    for (std::string line; std::getline(file, line);) {
      if (line.find("RUN print ") != std::string::npos) {
        result.out += "  +t | --> " + line.substr(4) + "\n  +t | " + line.substr(14) + "\n";
      }
      if (line.find("RUN save ") != std::string::npos) std::ofstream(directory_ / line.substr(13)) << "saved\n";
      if (line.find("false") == std::string::npos || ignores_failures) continue;
      result.code = 1;
      result.err = says_why ? "ERROR " + line + "\n" : "ERROR\n";
    }
    return result;
  }
  bool ignores_failures = false;
  bool says_why = true;

 private:
  test::TempDirectory directory_;
};

std::vector<std::string> problems(const std::string& text, ObedientBuilder& builder) {
  const Topic topic = read_topic(text);
  EXPECT_THAT(topic.mistakes, IsEmpty());
  return topic.cases.empty() ? std::vector<std::string>{"no case"} : problems_of(topic.cases.front(), builder);
}

std::vector<std::string> problems(const std::string& text) {
  ObedientBuilder builder;
  return problems(text, builder);
}

constexpr const char* kRecipe = "=== a case\nVERSION 0.8\nt:\n    RUN print yes\n";

TEST(Runner, is_content_with_what_is_as_expected) {
  EXPECT_THAT(problems(std::string(kRecipe) + "--- prints\nyes\n"), IsEmpty());
}

TEST(Runner, sees_what_is_printed_otherwise) {
  for (const char* wrong : {"no\n", "yes\nyes\n", "", "yes \n"}) {
    EXPECT_THAT(problems(std::string(kRecipe) + "--- prints\n" + wrong), ElementsAre(HasSubstr("should have printed")));
  }
}

TEST(Runner, sees_what_is_not_saved_or_otherwise) {
  EXPECT_THAT(problems(std::string(kRecipe) + "--- saves f\nsaved\n"), ElementsAre(HasSubstr("f is not there")));
  EXPECT_THAT(problems("=== a case\nt:\n    RUN save f\n--- saves f\nother\n"),
              ElementsAre(HasSubstr("f has \"saved")));
}

TEST(Runner, sees_that_a_twin_succeeds) {
  ObedientBuilder builder;
  builder.ignores_failures = true;
  EXPECT_THAT(problems(std::string(kRecipe) + "--- prints\nyes\n", builder),
              ElementsAre(HasSubstr("its twin, whose last step fails, succeeded")));
}

TEST(Runner, sees_that_a_twin_fails_for_another_reason) {
  ObedientBuilder builder;
  builder.says_why = false;
  EXPECT_THAT(problems(std::string(kRecipe) + "--- prints\nyes\n", builder),
              ElementsAre(HasSubstr("its twin failed without")));
}

TEST(Runner, sees_that_a_twin_saves_all_the_same) {
  EXPECT_THAT(problems("=== a case\nt:\n    RUN save f\n--- saves f\nsaved\n"),
              ElementsAre(HasSubstr("its twin failed, and saved f")));
}

TEST(Runner, sees_that_a_twin_could_not_be_made) {
  EXPECT_THAT(problems("=== a case\nVERSION 0.8\nu:\n    RUN print yes\n--- prints\nyes\n"),
              ElementsAre(HasSubstr("there is no target \"t\"")));
}

TEST(Runner, sees_that_what_should_fail_succeeds) {
  EXPECT_THAT(problems(std::string(kRecipe) + "--- fails\nanything\n"), ElementsAre(HasSubstr("it succeeded")));
}

TEST(Runner, sees_that_an_error_says_something_else) {
  const std::string recipe = "=== a case\nt:\n    RUN false one two\n";
  EXPECT_THAT(problems(recipe + "--- fails\nfalse one\n"), IsEmpty());
  EXPECT_THAT(problems(recipe + "--- fails\nfalse two\n"), ElementsAre(HasSubstr("this is not shown")));
  EXPECT_THAT(problems(recipe + "--- fails\none two\none two\n"), ElementsAre(HasSubstr("this is not shown")));
}

TEST(Runner, runs_each_version) {
  EXPECT_THAT(problems("=== a case\nVERSION 0.8\nt:\n    RUN print yes\n--- versions 0.6 0.7\n--- prints\nno\n"),
              ElementsAre(HasSubstr("(VERSION 0.6)"), HasSubstr("(VERSION 0.7)")));
}

std::vector<std::string> mistakes(const std::string& text) {
  return read_topic(text).mistakes;
}

TEST(Cases, must_expect_something) {
  EXPECT_THAT(mistakes("=== a case\nVERSION 0.8\n"),
              ElementsAre(HasSubstr("line 1: the case \"a case\" expects nothing")));
  EXPECT_THAT(mistakes("=== a case\nVERSION 0.8\n--- fails\n"),
              ElementsAre(HasSubstr("which text does it fail with?")));
}

TEST(Cases, are_held_to_their_form) {
  EXPECT_THAT(mistakes("=== a\nx\n--- succeeds\n=== a\nx\n--- succeeds\n"), ElementsAre(HasSubstr("another case")));
  EXPECT_THAT(mistakes("=== a\nx\n--- print\nyes\n--- succeeds\n"), ElementsAre(HasSubstr("no section \"print\"")));
  EXPECT_THAT(mistakes("=== a\nx\n--- fails\nyes\n--- prints\nyes\n"), ElementsAre(HasSubstr("fails, and makes")));
  EXPECT_THAT(mistakes("=== a\nx\n--- succeeds\n--- twin\n    RUN false\n"), ElementsAre(HasSubstr("which text")));
  EXPECT_THAT(mistakes("words\n=== a\nx\n--- succeeds\n"), ElementsAre(HasSubstr("line 1")));
  EXPECT_THAT(mistakes("=== a\n--- succeeds\n"), ElementsAre(HasSubstr("no Earthfile")));
}

TEST(Cases, a_failing_step_stands_at_the_end_of_its_target) {
  EXPECT_EQ(with_commands("V\nt:\n    A\n\n# of u\nu:\n    B\n", "t", "    X"),
            "V\nt:\n    A\n    X\n\n# of u\nu:\n    B\n");
  EXPECT_EQ(with_commands("V\nA\nt: # here\n    B\n", "base", "X"), "V\nA\nX\nt: # here\n    B\n");
  EXPECT_EQ(with_commands("V\nt: # here\n    B\n", "t", "    X"), "V\nt: # here\n    B\n    X\n");
  EXPECT_EQ(with_commands("V\nt:\n", "u", "    X"), "V\nt:\n");
}

TEST(Cases, what_runs_print_is_told_from_the_rest) {
  EXPECT_THAT(printed_lines("  ingot | job x\n  +t | --> RUN a\n  +t | one\n  +u | --> $(b)\n  +u | two\n  +t | three\n"
                            "  +t | *cached* --> FROM c\n  +t | four\n  +u | --> RUN d\n  +u | five\n"
                            "The output of the step that failed, once more:\n  +u | five\n"),
              ElementsAre("one", "three", "four", "five"));
}

}  // namespace
}  // namespace ingot::conformance
