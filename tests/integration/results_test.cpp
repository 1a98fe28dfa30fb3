#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/support/test_daemon.h"

// What is told of a job that ended: its images as their manifests say them, and what a cluster profile says of them.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Results : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
    daemon->project_file("Earthfile", R"(VERSION 0.8
all:
    BUILD +image --VERSION=1.32.3
    BUILD +image --VERSION=1.31.9
image:
    ARG VERSION
    FROM tiny
    RUN echo $VERSION >/version
    LABEL org.ingot.edge.os=debian
    LABEL org.ingot.edge.os-version=12
    LABEL org.ingot.edge.custom-tag=
    SAVE IMAGE registry.example/team/edge:rke2-$VERSION-v1.0.0-beta
plain:
    FROM tiny
    SAVE IMAGE plain:1
)");
  }
  std::string job_of(const std::string& target) {
    built = daemon->ingot({"build", target});
    EXPECT_EQ(built.code, 0) << built.out << built.err;
    auto id = daemon->ingot({"ps", "--all", "-q", "-n", "1"}).out;
    id.pop_back();
    return id;
  }
  std::string daemon_earthfile() const { return slurp(daemon->project() / "Earthfile"); }

  std::optional<TestDaemon> daemon;
  RunResult built;
};

TEST_F(Results, provider_images_come_with_their_manifests_and_the_profiles) {
  const std::string job = job_of("+all");
  const auto printed = daemon->ingot({"manifest", job});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, AllOf(HasSubstr("  system.registry: registry.example/team\n  system.repo: edge\n"
                                           "  system.k8sDistribution: rke2\n  system.osName: debian\n"
                                           "  system.peVersion: v1.0.0-beta\n  system.osVersion: 12\n"),
                                 Not(HasSubstr("---")), Not(HasSubstr("customTag"))));
  EXPECT_THAT(built.out, HasSubstr(printed.out)) << "a build ends with it";

  const json shown = json::parse(daemon->ingot({"show", "--json", job}).out);
  ASSERT_EQ(shown["images"].size(), 2U);
  const json image = shown["images"][0];
  EXPECT_EQ(image["name"], "registry.example/team/edge:rke2-1.32.3-v1.0.0-beta");
  EXPECT_EQ(image["annotations"]["org.ingot.edge.os"], "debian");
  EXPECT_THAT(image["annotations"]["org.ingot.source"].get<std::string>(), HasSubstr("sha256:"));
  EXPECT_EQ(image["layers"].size(), 2U);
  EXPECT_GT(image["size"], image["layers"][0]["size"]);
  EXPECT_EQ(shown["pack_manifest"], printed.out);
  EXPECT_THAT(daemon->ingot({"show", job}).out,
              AllOf(HasSubstr("image        " + image["digest"].get<std::string>()),
                    HasSubstr("layer      " + image["layers"][1]["digest"].get<std::string>())));
}

TEST_F(Results, all_that_a_job_left_comes_to_where_its_build_would_have_put_it) {
  daemon->project_file("Earthfile", daemon_earthfile() + R"(
    SAVE ARTIFACT /etc/passwd AS LOCAL build/deep/passwd
    SAVE ARTIFACT /etc/group
    SAVE IMAGE registry.example/edge:k3s-1.32.3-v1
)");
  auto submitted = daemon->ingot({"submit", "+plain"}).out;
  submitted.pop_back();
  EXPECT_EQ(daemon->ingot({"wait", submitted}).code, 0);
  const auto got = daemon->ingot({"get", submitted});
  EXPECT_EQ(got.code, 0) << got.err;
  const auto build = daemon->project() / "build";
  EXPECT_THAT(slurp(build / "deep/passwd"), HasSubstr("root:"));
  EXPECT_THAT(slurp(build / "group"), HasSubstr("root:"));
  EXPECT_TRUE(json::parse(slurp(build / "edge:k3s-1.32.3-v1.json")).contains("layers"));
  EXPECT_EQ(slurp(build / "pack-manifest.yaml"), daemon->ingot({"manifest", submitted}).out);
}

TEST_F(Results, other_jobs_have_no_pack_manifest) {
  const std::string job = job_of("+plain");
  EXPECT_THAT(built.out, Not(HasSubstr("pack manifest")));
  const auto refused = daemon->ingot({"manifest", job});
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("made no provider image"));
  EXPECT_FALSE(json::parse(daemon->ingot({"show", "--json", job}).out).contains("pack_manifest"));
}

}  // namespace
}  // namespace ingot::test
