#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "tests/support/copied_program.h"
#include "tests/support/metrics_text.h"
#include "tests/support/test_daemon.h"

// WITH DOCKER: podman in a step, with images of the daemon's own.
namespace ingot {
namespace {

using test::TestDaemon;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kInner =
    "inner:\n    FROM tiny\n    ARG TEXT=inner\n    RUN echo from $TEXT >/text\n    ENV WHO=$TEXT\n"
    "    CMD [\"cat\", \"/text\"]\n    SAVE IMAGE inner:1\n";

class WithDocker : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace(std::vector<std::string>{"--sandbox-allow-privileged", "true"});
    for (const char* program : {"podman", "conmon", "runc"}) test::copy_program(program, daemon->project() / "podman");
  }
  // A target +t on an image that has podman, and these lines in it.
  test::RunResult build(const std::string& lines) {
    daemon->project_file("Earthfile", std::string("VERSION 0.8\n") + kInner +
                                          "engine:\n    FROM tiny\n    COPY podman /\nt:\n    FROM +engine\n" + lines);
    return daemon->ingot({"build", "+t"});
  }
  double executed() {
    return test::parse_metrics(daemon->curl({"http://x/metrics"}).out)["ingot_steps_executed_total"];
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(WithDocker, a_step_runs_containers_of_images_that_the_daemon_gives_it) {
  const std::string lines =
      "    WITH DOCKER --load +inner --load=other:2=(+inner --TEXT=argument) --pull tiny\n"
      "        RUN docker run --rm inner:1 && docker run --rm other:2 sh -c 'echo is $WHO; cat /text' &&"
      " docker run --rm tiny echo pulled && podman --url unix:///var/run/docker.sock images && echo kept >/kept\n"
      "    END\n    RUN cat /kept; ls -a /run /var/run\n";
  const auto built = build(lines);
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| from inner\n"));
  EXPECT_THAT(built.out, HasSubstr("| is argument\n"));
  EXPECT_THAT(built.out, HasSubstr("| from argument\n"));
  EXPECT_THAT(built.out, HasSubstr("| pulled\n"));
  EXPECT_THAT(built.out, HasSubstr("localhost/other"));
  EXPECT_THAT(built.out, HasSubstr("| kept\n"));
  EXPECT_THAT(built.out, Not(HasSubstr("docker.sock\n"))) << "what served the step is gone with it";

  const auto before = executed();
  EXPECT_EQ(build(lines).code, 0);
  EXPECT_EQ(executed(), before);
  EXPECT_EQ(daemon->leftovers(), "");
}

TEST_F(WithDocker, what_an_image_says_of_itself_is_part_of_the_step) {
  const auto lines = [](const std::string& text) {
    return "    WITH DOCKER --load i=(+inner --TEXT=" + text + ")\n        RUN docker run --rm i\n    END\n";
  };
  EXPECT_THAT(build(lines("one")).out, HasSubstr("| from one\n"));
  EXPECT_THAT(build(lines("two")).out, HasSubstr("| from two\n"));
}

TEST_F(WithDocker, a_command_that_fails_is_what_fails) {
  const auto failed = build("    WITH DOCKER\n        RUN echo out; exit 9\n    END\n");
  EXPECT_EQ(failed.code, proto::info(ErrorKind::step_failed).exit_code);
  EXPECT_THAT(failed.out + failed.err, HasSubstr("exit code 9"));
  const auto compose = build("    WITH DOCKER --compose x.yml\n        RUN true\n    END\n");
  EXPECT_THAT(compose.out, HasSubstr("--compose needs"));
  const auto user = build("    USER app\n    WITH DOCKER\n        RUN true\n    END\n");
  EXPECT_THAT(user.out, HasSubstr("write USER root before it"));
}

TEST_F(WithDocker, each_step_begins_with_nothing_but_what_a_cache_keeps) {
  const std::string keep = "        RUN docker tag inner:1 mine:1\n    END\n";
  const auto alone =
      build("    WITH DOCKER --load +inner\n" + keep + "    WITH DOCKER\n        RUN docker images\n    END\n");
  EXPECT_EQ(alone.code, 0) << alone.out;
  EXPECT_THAT(alone.out, Not(HasSubstr("localhost/mine")));
  const auto kept = build("    WITH DOCKER --cache-id c --load +inner\n" + keep +
                          "    WITH DOCKER --cache-id c\n        RUN docker images\n    END\n");
  EXPECT_EQ(kept.code, 0) << kept.out;
  EXPECT_THAT(kept.out, HasSubstr("localhost/mine"));
}

TEST(WithDockerRefused, by_the_host_and_where_no_engine_is) {
  if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  const std::string recipe = "VERSION 0.8\nt:\n    FROM tiny\n    WITH DOCKER\n        RUN true\n    END\n";
  TestDaemon strict;
  strict.project_file("Earthfile", recipe);
  const auto refused = strict.ingot({"build", "+t"});
  EXPECT_EQ(refused.code, proto::info(ErrorKind::denied).exit_code) << refused.out << refused.err;
  EXPECT_THAT(refused.out + refused.err, HasSubstr("sandbox.allow_privileged"));
  EXPECT_THAT(refused.out + refused.err, HasSubstr("Earthfile:5"));

  TestDaemon open({"--sandbox-allow-privileged", "true"});
  open.project_file("Earthfile", recipe);
  const auto without = open.ingot({"build", "+t"});
  EXPECT_NE(without.code, 0);
  EXPECT_THAT(without.out, HasSubstr("the image has neither podman nor docker"));
}

}  // namespace
}  // namespace ingot
