#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include "tests/support/metrics_text.h"
#include "tests/support/test_daemon.h"

// A recipe that was interpreted before is not interpreted again, and nothing but the time tells.
namespace ingot::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kRecipe = R"(VERSION 0.8
t:
    FROM tiny
    COPY asked /asked
    IF grep -q yes /asked
        RUN echo it says "yes"
    ELSE
        RUN echo it says "no"
    END
    ARG WHAT=$(cat /asked)
    COPY taken /taken
    RUN echo in $WHAT: && cat /taken && echo $WHAT is "asked" > /out
    SAVE ARTIFACT /out AS LOCAL out
)";

class KeptRecipes : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
    daemon->project_file("Earthfile", kRecipe);
    daemon->project_file("asked", "yes\n");
    daemon->project_file("taken", "v1\n");
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::string build(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.emplace_back("+t");
    const auto built = daemon->ingot(arguments);
    EXPECT_EQ(built.code, 0) << built.out << built.err;
    return built.out + built.err;
  }
  std::string out() { return slurp(daemon->project() / "out"); }
  int count(const std::string& how) {
    return static_cast<int>(
        parse_metrics(daemon->curl({"http://x/metrics"}).out)["ingot_recipes_total{how=\"" + how + "\"}"]);
  }
  std::string why_of_the_last() {
    std::string job = daemon->ingot({"ps", "-a", "-q", "-n1"}).out;
    while (!job.empty() && job.back() == '\n') job.pop_back();
    return daemon->ingot({"why", job}).out;
  }
  // In an order of their own: what is known is told as it is met.
  static std::vector<std::string> steps_in(const std::string& text) {
    std::vector<std::string> steps;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("+t ") != std::string::npos) steps.push_back(line);
    }
    std::sort(steps.begin(), steps.end());
    return steps;
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(KeptRecipes, a_job_that_takes_one_says_and_records_what_it_would_have) {
  build();
  const std::string second = build();
  EXPECT_EQ(count("interpreted"), 1);
  EXPECT_EQ(count("kept"), 1);
  const std::string why = why_of_the_last();
  EXPECT_THAT(second, HasSubstr("*cached* --> IF grep -q yes /asked"));
  EXPECT_THAT(why, HasSubstr("IF grep -q yes /asked\n  did not run"));
  EXPECT_EQ(out(), "yes is asked\n");
  daemon->stop();
  daemon->start();
  EXPECT_EQ(steps_in(build()), steps_in(second)) << "interpreted, with all of it known";
  EXPECT_EQ(steps_in(why_of_the_last()), steps_in(why));
  EXPECT_EQ(count("interpreted"), 1);
}

TEST_F(KeptRecipes, a_file_that_no_answer_depends_on_may_change) {
  build();
  daemon->project_file("taken", "v2\n");
  EXPECT_THAT(build(), HasSubstr("| v2\n"));
  EXPECT_EQ(count("kept"), 1);
}

TEST_F(KeptRecipes, another_answer_is_followed) {
  EXPECT_THAT(build(), HasSubstr("it says yes"));
  daemon->project_file("asked", "no\n");
  EXPECT_THAT(build(), HasSubstr("it says no"));
  EXPECT_EQ(out(), "no is asked\n");
  EXPECT_EQ(count("kept"), 0);
  daemon->project_file("asked", "yes\n");
  build();
  EXPECT_EQ(out(), "yes is asked\n");
  EXPECT_THAT(build({"--build-arg", "WHAT=that"}), HasSubstr("*cached* --> IF"));
  EXPECT_EQ(out(), "that is asked\n");
  EXPECT_EQ(count("kept"), 0);
}

TEST_F(KeptRecipes, what_is_known_no_more_is_asked_anew) {
  build();
  ASSERT_EQ(daemon->ingot({"cache", "prune"}).code, 0);
  const std::string again = build();
  EXPECT_THAT(again, HasSubstr("it says yes"));
  EXPECT_THAT(again, Not(HasSubstr("*cached* --> IF")));
  EXPECT_THAT(build({"--no-cache"}), HasSubstr("it says yes"));
  EXPECT_EQ(count("kept"), 0);
  build();
  EXPECT_EQ(count("kept"), 1);
}

TEST_F(KeptRecipes, a_plan_takes_what_a_job_left_and_tells_the_same) {
  EXPECT_THAT(daemon->ingot({"plan", "+t"}).out, HasSubstr("depends on a command that was not run yet"));
  build();
  const std::string plan = daemon->ingot({"plan", "+t"}).out;
  EXPECT_THAT(plan, HasSubstr("0 run, 0 may run"));
  EXPECT_EQ(count("kept"), 1);
  daemon->stop();
  daemon->start();
  EXPECT_EQ(daemon->ingot({"plan", "+t"}).out, plan);
  EXPECT_EQ(count("interpreted"), 1);
}

TEST_F(KeptRecipes, jobs_side_by_side_have_each_their_own) {
  build();
  const auto both = run_program({"sh", "-c",
                                 "\"$0\" build +t >one 2>&1 & \"$0\" build --build-arg WHAT=a +t >two 2>&1 & "
                                 "\"$0\" plan +t >three 2>&1; wait",
                                 binary("ingot")},
                                daemon->project().string(), daemon->environment());
  EXPECT_EQ(both.code, 0);
  EXPECT_THAT(slurp(daemon->project() / "one"), HasSubstr("succeeded"));
  EXPECT_THAT(slurp(daemon->project() / "two"), HasSubstr("in a:\n"));
  EXPECT_THAT(slurp(daemon->project() / "three"), HasSubstr(" 0 may run"));
}

}  // namespace
}  // namespace ingot::test
