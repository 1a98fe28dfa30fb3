#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "tests/support/metrics_text.h"
#include "tests/support/test_daemon.h"

// Recipes whose course depends on what runs: with real containers, and again with everything known.
namespace ingot {
namespace {

using test::TestDaemon;
using testing::HasSubstr;
using testing::Not;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Flow : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
  }
  test::RunResult build(const std::string& recipe, std::vector<std::string> more = {"+t"}) {
    daemon->project_file("Earthfile", recipe);
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return daemon->ingot(arguments);
  }
  double executed() {
    return test::parse_metrics(daemon->curl({"http://x/metrics"}).out)["ingot_steps_executed_total"];
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(Flow, conditions_loops_and_values_come_from_the_container) {
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    RUN mkdir /d && touch /d/one /d/two\n"
      "    IF test -f /d/one && touch /d/three\n        RUN echo found\n    ELSE\n        RUN echo lost\n    END\n"
      "    IF test -f /d/three\n        RUN echo left behind\n    END\n"
      "    FOR f IN /d/*\n        RUN echo file $f\n    END\n"
      "    ARG N=$(ls /d | wc -l)\n    LET host=\"n=$N\"\n    RUN echo says $host\n";
  auto first = build(recipe);
  ASSERT_EQ(first.code, 0) << first.out;
  EXPECT_THAT(first.out, HasSubstr("| found\n"));
  EXPECT_THAT(first.out, Not(HasSubstr("lost")));
  EXPECT_THAT(first.out, Not(HasSubstr("left behind\n"))) << "a question leaves nothing";
  EXPECT_THAT(first.out, HasSubstr("| file /d/one\n"));
  EXPECT_THAT(first.out, HasSubstr("| file /d/two\n"));
  EXPECT_THAT(first.out, HasSubstr("| says n=2\n"));

  const auto before = executed();
  auto again = build(recipe);
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(executed(), before) << "answers are kept like steps";
  const std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
  const std::string why = daemon->ingot({"why", job.substr(0, job.find('\n'))}).out;
  EXPECT_THAT(why, HasSubstr("IF test -f /d/one"));
}

// What a question stands on is not run once more for the next, nor for the rest.
TEST_F(Flow, one_job_runs_a_step_once_also_without_the_cache) {
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    RUN echo made\n    RUN --push echo sent\n"
      "    IF test -f /none\n        RUN echo one\n    END\n    IF test -d /etc\n        RUN echo end\n    END\n";
  ASSERT_EQ(build(recipe).code, 0);
  const auto before = executed();
  const auto again = build(recipe, {"--no-cache", "--push", "+t"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(executed() - before, 5) << again.out;
}

// Each of two ends only when it sees what the other leaves in a cache that they share.
TEST_F(Flow, what_need_not_wait_for_each_other_goes_on_side_by_side) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "two steps at once need two processors";
  const auto meets = [](const std::string& own, const std::string& other) {
    return "--mount=type=cache,target=/c,id=meet,sharing=shared touch /c/" + own + "; i=0; until [ -f /c/" + other +
           " ]; do sleep 0.1; i=$((i+1)); [ $i -lt 200 ] || exit 1; done\n";
  };
  const std::string recipe = "VERSION 0.8\nFROM tiny\nstep:\n    BUILD +runs\n    IF " + meets("one", "other") +
                             "        RUN echo met\n    END\nruns:\n    RUN " + meets("other", "one") +
                             "questions:\n    BUILD +asks\n    IF " + meets("this", "that") +
                             "        RUN echo met it\n    END\nasks:\n    IF " + meets("that", "this") +
                             "        RUN echo met too\n    END\n";
  EXPECT_THAT(build(recipe, {"+step"}).out, HasSubstr("| met\n"));
  const auto built = build(recipe, {"+questions"});
  EXPECT_THAT(built.out, HasSubstr("| met it\n"));
  EXPECT_THAT(built.out, HasSubstr("| met too\n"));
}

TEST_F(Flow, what_fails_early_is_why_the_job_fails) {
  const std::string recipe =
      "VERSION 0.8\nFROM tiny\nt:\n    BUILD +fails\n    IF sleep 300\n        RUN echo never\n    END\n"
      "fails:\n    RUN echo this is why; exit 7\n";
  const auto built = build(recipe);
  EXPECT_EQ(built.code, proto::info(ErrorKind::step_failed).exit_code) << built.out;
  EXPECT_THAT(built.out, HasSubstr("this is why"));
  EXPECT_THAT(built.out + built.err, HasSubstr("Earthfile:9"));
}

TEST_F(Flow, finally_saves_what_a_failed_step_left) {
  const auto recipe = [](const std::string& code) {
    return "VERSION --try 0.8\nFROM tiny\nt:\n    TRY\n        RUN echo report >/report; exit " + code +
           "\n    FINALLY\n        SAVE ARTIFACT /report AS LOCAL out/report\n"
           "        SAVE ARTIFACT --if-exists /none AS LOCAL out/none\n    END\n    RUN echo behind\n";
  };
  for (int round = 0; round < 2; ++round) {
    const auto failed = build(recipe("7"));
    EXPECT_EQ(failed.code, proto::info(ErrorKind::step_failed).exit_code) << failed.out << failed.err;
    EXPECT_THAT(failed.out, Not(HasSubstr("| behind\n")));
    EXPECT_THAT(failed.out, Not(HasSubstr("*cached* --> RUN"))) << "what failed is run again";
    EXPECT_EQ(slurp(daemon->project() / "out/report"), "report\n");
    std::filesystem::remove_all(daemon->project() / "out");
  }
  const auto built = build(recipe("0"));
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_EQ(slurp(daemon->project() / "out/report"), "report\n");
  EXPECT_THAT(built.out, HasSubstr("| behind\n"));

  // Also when it is a question that meets the failure.
  std::filesystem::remove_all(daemon->project() / "out");
  EXPECT_NE(build(recipe("8") + "    IF test -f /x\n        RUN x\n    END\n").code, 0);
  EXPECT_EQ(slurp(daemon->project() / "out/report"), "report\n");
}

TEST_F(Flow, what_pushes_waits_until_all_else_has_succeeded) {
  const std::string recipe =
      "VERSION 0.8\nFROM tiny\nt:\n    RUN --push echo sent\n    BUILD +fails\nfails:\n    RUN sleep 1; exit 7\n";
  const auto failed = build(recipe, {"--push", "+t"});
  EXPECT_NE(failed.code, 0);
  EXPECT_THAT(failed.out, Not(HasSubstr("| sent\n")));
  const auto built = build("VERSION 0.8\nFROM tiny\nt:\n    RUN --push echo sent\n", {"--push", "+t"});
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("| sent\n"));
}

TEST_F(Flow, a_plan_ends_where_something_would_have_to_run) {
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    RUN true\n    IF test -f /etc/passwd\n        RUN echo yes\n    END\n";
  daemon->project_file("Earthfile", recipe);
  auto before = daemon->ingot({"plan", "+t"});
  EXPECT_EQ(before.code, 0) << before.err;
  EXPECT_THAT(before.out + before.err, HasSubstr("what comes after Earthfile:5"));
  EXPECT_EQ(executed(), 0);
  ASSERT_EQ(build(recipe).code, 0);
  auto after = daemon->ingot({"plan", "+t"});
  EXPECT_THAT(after.out + after.err, Not(HasSubstr("what comes after")));
}

TEST_F(Flow, functions_and_other_directories) {
  daemon->project_file("lib/Earthfile",
                       "VERSION 0.8\nFROM tiny\nmade:\n    COPY hello.txt /h\n    SAVE ARTIFACT /h AS LOCAL out/h\n"
                       "SETUP:\n    FUNCTION\n    ARG WHAT\n    RUN echo set up $WHAT > /setup\n    ENV SET=1\n");
  daemon->project_file("lib/hello.txt", "hello from lib\n");
  auto built = build(
      "VERSION 0.8\nIMPORT ./lib AS l\nFROM tiny\nt:\n    DO l+SETUP --WHAT=it\n    COPY ./lib+made/h /\n"
      "    RUN cat /setup /h && echo set is $SET\n    BUILD ./lib+made\n");
  ASSERT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("| set up it\n"));
  EXPECT_THAT(built.out, HasSubstr("| hello from lib\n"));
  EXPECT_THAT(built.out, HasSubstr("| set is 1\n"));
  EXPECT_EQ(test::slurp(daemon->project() / "lib/out/h"), "hello from lib\n");
}

TEST_F(Flow, a_question_that_cannot_be_asked_fails_the_job_with_its_place) {
  auto built = build("VERSION 0.8\nt:\n    FROM tiny\n    ARG X=$(echo no >&2; exit 3)\n");
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out, HasSubstr("Earthfile:4:11: the command in $(...) ended with exit code 3"));
  EXPECT_THAT(built.out, HasSubstr("| no\n")) << "what it printed is in the log";
}

}  // namespace
}  // namespace ingot
