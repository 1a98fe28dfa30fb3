#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/metrics_text.h"
#include "tests/support/registry.h"
#include "tests/support/source_directory.h"
#include "tests/support/test_daemon.h"

// tests/projects/lantern, whole: an Earthfile of some 1,500 lines, with all that such files have grown over the years.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kImages[] = {"tools:1",       "signer:2",      "agent:3.2", "juniper:20.04",
                                   "juniper:22.04", "juniper:24.04", "alder:15",  "larch:9"};

class Project : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    registry.emplace(false);
    for (const std::string image : kImages) ASSERT_TRUE(registry->put(registry->layout(), "base/" + image)) << image;
    daemon.emplace(std::vector<std::string>{
        "--images", "[{match: \"" + registry->host() + "/*\", source: registry, insecure: true}]"});
    fs::copy(source_directory() / "tests/projects/lantern", daemon->project(), fs::copy_options::recursive);
  }
  RunResult build(const std::string& target, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (const auto& one : {target, "--IMAGES=" + registry->host() + "/base", "--IMAGE_REGISTRY=" + registry->host()}) {
      arguments.push_back(one);
    }
    return daemon->ingot(arguments);
  }
  double executed() { return parse_metrics(daemon->curl({"http://x/metrics"}).out)["ingot_steps_executed_total"]; }
  json steps_of_last_job() {
    std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
    job.resize(job.find('\n'));
    return json::parse(daemon->curl({"http://x/v1/jobs/" + job + "/steps"}).out, nullptr, false)["steps"];
  }
  std::string built(const std::string& path) { return slurp(daemon->project() / "build" / path); }

  std::optional<Registry> registry;
  std::optional<TestDaemon> daemon;
};

TEST_F(Project, builds_whole_and_then_has_nothing_left_to_do) {
  // All that +whole is made of, in parts: with sanitizers it takes its time.
  for (const std::string part : {"+all", "+os-matrix", "+driver-matrix", "+self-checks"}) {
    const auto first = build(part);
    ASSERT_EQ(first.code, 0) << part << first.out << first.err;
    EXPECT_THAT(first.out, Not(HasSubstr("warning"))) << part;
  }

  // What is delivered.
  const auto sum = run_program({"sha256sum", "-c", "lantern-installer.iso.sha256"}, daemon->project() / "build");
  EXPECT_EQ(sum.code, 0) << sum.out;
  EXPECT_THAT(built("lantern-installer.iso").substr(0, 20), HasSubstr("packed with bios"));
  EXPECT_THAT(built("lantern-installer.iso"), HasSubstr("./boot/vmlinuz"));
  EXPECT_EQ(built("verdict.txt"), "nothing stands in the way of v7.3.1-pier-1\n");
  EXPECT_EQ(built("facts/facts-juniper-20"), "juniper 20 is old, of the open stream\n");
  EXPECT_EQ(built("facts/facts-larch-9"), "larch 9 is foreign, of the open stream\n");
  EXPECT_EQ(built("cloud/upload.log"), "would put disk.raw into buoys as lantern-v7.3.1-pier-1.raw\n");
  EXPECT_THAT(built("release/profile.yaml"), HasSubstr("system.repo: juniper\n"));
  EXPECT_THAT(built("network/wan.yaml"), HasSubstr("addresses: [10.7.0.1]"));
  EXPECT_EQ(json::parse(built("release/bill.json"), nullptr, false)["version"], "v7.3.1-pier-1");
  EXPECT_EQ(built("release/names/agent-arm64-sealed"), "agent-arm64-sealed\n");
  EXPECT_THAT(built("release/sums"), HasSubstr("./boot/menu.cfg"));
  EXPECT_THAT(built("release/sums"), HasSubstr("./names/installer"));

  const double before = executed();
  const auto again = build("+whole");
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(executed(), before) << again.out;
  // Of its 93 conditions, 85 only look at variables: those never cost a container.
  std::set<std::string> asked;
  for (const auto& step : steps_of_last_job()) {
    const std::string text = step["text"];
    if (text.starts_with("IF ") || text.starts_with("ELSE IF ")) asked.insert(text);
  }
  EXPECT_LE(asked.size(), 8U) << testing::PrintToString(asked);
  EXPECT_TRUE(asked.contains("IF ls /in/*.bundle")) << "they are counted at all";

  const auto plan = daemon->ingot(
      {"plan", "+whole", "--IMAGES=" + registry->host() + "/base", "--IMAGE_REGISTRY=" + registry->host()});
  EXPECT_THAT(plan.out, HasSubstr("0 run, 0 may run, ")) << plan.out << plan.err;
  // Three versions of the flavour in versions.json, each in an image of its name.
  ASSERT_EQ(build("+images", {"--push"}).code, 0);
  for (const std::string version : {"1.28.11", "1.29.6", "1.30.2"}) {
    const std::string name = "juniper:corvid-" + version + "-v7.3.1-pier-1";
    EXPECT_EQ(built("images/corvid-" + version), registry->host() + "/" + name + "\n");
    const json image = json::parse(registry->inspect(name), nullptr, false);
    EXPECT_EQ(image["Labels"]["works.lantern.version"], version);
    EXPECT_THAT(image["Env"].dump(), HasSubstr("LANTERN_KIND=provider"));
  }
  EXPECT_THAT(daemon->ingot({"images"}).out, HasSubstr("lantern-installer:v7.3.1-pier-1"));
  daemon->stop();
  EXPECT_EQ(daemon->leftovers(), "");
}

// A check that fails is told by name, and nothing is delivered.
TEST_F(Project, says_what_stands_in_the_way) {
  const auto twice = build("+check-parameters", {"--build-arg", "FIPS=true", "--build-arg", "UPDATE_KERNEL=true"});
  EXPECT_NE(twice.code, 0);
  EXPECT_THAT(twice.out, HasSubstr("a sealed system keeps the kernel that it was sealed with"));
  const auto flavour = build("+provider-image", {"--build-arg", "KUBE_FLAVOR=raven"});
  EXPECT_NE(flavour.code, 0);
  EXPECT_THAT(flavour.out, HasSubstr("nobody knows the flavour raven"));
  EXPECT_FALSE(fs::exists(daemon->project() / "build"));
}

}  // namespace
}  // namespace ingot::test
