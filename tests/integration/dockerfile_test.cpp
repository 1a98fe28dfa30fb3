#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/support/test_daemon.h"

// FROM DOCKERFILE, with real containers.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Dockerfile : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  }
  static json config_of(TestDaemon& daemon, const std::string& image) {
    const auto archive = daemon.project() / "image.tar";
    auto saved = daemon.ingot({"image", "save", image, "-o", archive});
    EXPECT_EQ(saved.code, 0) << saved.err;
    auto inspected =
        run_program({"skopeo", "--insecure-policy", "inspect", "--config", "--raw", "oci-archive:" + archive.string()});
    EXPECT_EQ(inspected.code, 0) << inspected.err;
    return json::parse(inspected.out, nullptr, false)["config"];
  }
};

TEST_F(Dockerfile, stages_variables_heredocs_and_the_image_that_comes_of_it) {
  TestDaemon daemon;
  daemon.project_file("image/in/a", "from the context");
  daemon.project_file("image/in/left-out", "never");
  daemon.project_file("image/.dockerignore", "**/left-out\n");
  daemon.project_file("image/Dockerfile",
                      R"END(# syntax=docker/dockerfile:1
ARG BASE=none
FROM ${BASE} AS unused
RUN exit 9

FROM $BASE AS build
ARG GREETING=hello
ARG TARGETARCH
ENV WHO="the world"
WORKDIR /work
COPY in/ ./in/
RUN <<EOF
  set -e
  echo "$GREETING, $WHO on $TARGETARCH" > greeting
  ls in >> greeting
EOF
# a comment
RUN cat <<'A' > literal && \
  # another
    cat <<-B >> literal
$GREETING
A
	stripped
	B
RUN --network=none --mount=type=bind,source=in/a,target=/seen echo "seen: $(cat /seen)"
SHELL ["/bin/sh", "-e", "-c"]
RUN echo "shell's 'own' $0"; false || echo went on
RUN ["/bin/echo", "exec form", "$WHO"]

FROM $BASE AS tools
RUN mkdir /tools && echo tool > /tools/one

FROM build AS last
COPY --from=build --chmod=0600 --chown=7:8 /work/greeting /work/literal /out/
COPY --from=2 /tools /tools
COPY <<EOF /etc/made
made for $WHO
EOF
USER 7
RUN cat /out/greeting /out/literal /tools/one /etc/made; stat -c '%a %u:%g %n' /out/greeting; id -u
LABEL team="edge" who=$WHO
EXPOSE 80 53/udp
VOLUME /data
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
HEALTHCHECK --interval=30s CMD test -e /out
STOPSIGNAL SIGINT
)END");
  daemon.project_file("Earthfile",
                      "VERSION 0.8\nt:\n    ARG GREETING=servus\n"
                      "    FROM DOCKERFILE --build-arg BASE=tiny --build-arg GREETING ./image\n"
                      "    RUN echo goes on as $(id -u) in $(pwd) with $WHO\n    SAVE IMAGE edge:1\n");
  auto built = daemon.ingot({"build", "+t"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  for (const char* line : {"| servus, the world on ", "| a\n", "| $GREETING\n", "| stripped\n", "| tool\n",
                           "| made for the world\n", "| seen: from the context\n", "| went on\n", "| exec form $WHO\n",
                           "| 600 7:8 /out/greeting\n", "| 7\n", "| goes on as 7 in /work with the world\n"}) {
    EXPECT_THAT(built.out, HasSubstr(line));
  }
  EXPECT_THAT(built.out, Not(HasSubstr("left-out\n")));
  EXPECT_THAT(built.out, Not(HasSubstr("exit 9"))) << "no stage that is not needed";

  const json config = config_of(daemon, "edge:1");
  EXPECT_EQ(config["User"], "7");
  EXPECT_EQ(config["WorkingDir"], "/work");
  EXPECT_EQ(config["Labels"]["team"], "edge");
  EXPECT_EQ(config["Labels"]["who"], "the world");
  EXPECT_EQ(config["Entrypoint"], json::array({"/bin/sh"}));
  EXPECT_EQ(config["Cmd"], json::array({"-c", "true"}));
  EXPECT_TRUE(config["ExposedPorts"].contains("80/tcp") && config["ExposedPorts"].contains("53/udp"));
  EXPECT_TRUE(config["Volumes"].contains("/data"));
  EXPECT_EQ(config["StopSignal"], "SIGINT");
  EXPECT_EQ(config["Healthcheck"]["Test"], json::array({"CMD", "/bin/sh", "-e", "-c", "test -e /out"}));
  EXPECT_THAT(config["Env"].dump(), HasSubstr("WHO=the world"));
  EXPECT_THAT(config["Env"].dump(), Not(HasSubstr("GREETING")));

  // What .dockerignore leaves out rebuilds nothing.
  daemon.project_file("image/in/left-out", "changed");
  auto again = daemon.ingot({"build", "+t"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_THAT(again.out, Not(HasSubstr("| seen"))) << again.out;
  daemon.project_file("image/in/a", "changed");
  EXPECT_THAT(daemon.ingot({"build", "+t"}).out, HasSubstr("| seen: changed\n"));
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Dockerfile, of_a_target_and_with_its_files) {
  TestDaemon daemon;
  daemon.project_file("Earthfile",
                      "VERSION 0.8\nmade:\n    FROM tiny\n    ARG LINE=one\n"
                      "    RUN mkdir /d && echo \"FROM tiny\" > /d/Dockerfile && echo \"COPY f /f\" >> /d/Dockerfile\n"
                      "    RUN echo \"RUN echo it is \\$(cat /f)\" >> /d/Dockerfile && echo $LINE > /d/f\n"
                      "    SAVE ARTIFACT /d d\n    SAVE ARTIFACT /d/Dockerfile\n"
                      "t:\n    FROM DOCKERFILE +made/d\n    RUN echo and more\n"
                      "u:\n    FROM DOCKERFILE -f +made/Dockerfile ./here\n"
                      "v:\n    FROM DOCKERFILE +made/none\n");
  daemon.project_file("here/f", "two");
  auto plan = daemon.ingot({"plan", "+t"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out + plan.err, HasSubstr("depends on a command that was not run yet"));
  auto built = daemon.ingot({"build", "+t"});
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("| it is one\n"));
  auto with_own_context = daemon.ingot({"build", "+u"});
  EXPECT_EQ(with_own_context.code, 0) << with_own_context.out;
  EXPECT_THAT(with_own_context.out, HasSubstr("| it is two\n"));
  EXPECT_THAT(daemon.ingot({"build", "+v"}).out, HasSubstr("none/Dockerfile"));
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Dockerfile, a_heredoc_that_names_its_interpreter_and_a_step_that_fails) {
  TestDaemon daemon;
  daemon.project_file(
      "Dockerfile", "FROM tiny\nUSER 7\nRUN <<EOF\n#!/bin/sh -e\necho it is $0 && ls /dev/shm\nfalse\necho no\nEOF\n");
  daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM DOCKERFILE .\n");
  auto built = daemon.ingot({"build", "+t"});
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out, HasSubstr("| it is /dev/shm/run\n"));
  EXPECT_THAT(built.out, Not(HasSubstr("| no\n")));
  EXPECT_THAT(built.out + built.err, HasSubstr("Dockerfile:3:1: the command ended with exit code 1"));
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

}  // namespace
}  // namespace ingot::test
