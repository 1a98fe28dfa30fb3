#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/metrics_text.h"
#include "tests/support/registry.h"
#include "tests/support/running_client.h"
#include "tests/support/test_daemon.h"

// Sweeps by the client's own commands, with real images in a real registry.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Sweeps : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace(std::vector<std::string>{"--jobs-parallel", "3", "--images",
                                            "[{match: tiny, source: oci-layout, path: '" + registry.layout().string() +
                                                "'}, {match: '*', source: registry, insecure: true}]"});
    // A cell of V and OS; which of them break says `broken`.
    daemon->project_file("Earthfile", R"(VERSION 0.8
common:
    FROM tiny
    COPY broken /broken
    RUN echo common >/common
cell:
    FROM +common
    ARG --required V
    ARG OS=a
    RUN ! grep -qx "$V$OS" /broken && echo $V $OS >/v
    SAVE ARTIFACT /v
    SAVE IMAGE --push )" + registry.host() +
                                          R"(/x:$V-$OS
)");
    daemon->project_file("broken", "none\n");
    daemon->project_file("sweep.yaml", kGrid);
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }
  RunResult sweep(std::vector<std::string> words) {
    words.insert(words.begin(), "sweep");
    return daemon->ingot(words);
  }
  std::string last_sweep() { return json::parse(sweep({"ls", "--json", "-n", "1"}).out)["sweeps"][0]["id"]; }
  double metric(const std::string& name) { return parse_metrics(daemon->curl({"http://ingot/metrics"}).out).at(name); }
  static std::string numbers(int from, int to) {
    std::string text = std::to_string(from);
    while (from < to) text += ", " + std::to_string(++from);
    return text;
  }
  static constexpr const char* kGrid =
      "name: nightly\ntargets: [+cell]\nbase: +common\naxes: {V: [v1, v2, v3, v4], OS: [a, b]}\n";

  Registry registry{RegistrySetup{}};
  std::optional<TestDaemon> daemon;
};

TEST_F(Sweeps, build_what_cells_share_once_and_nothing_the_second_time) {
  const auto planned = sweep({"plan"});
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.out, AllOf(HasSubstr("v1 a  never built\n"), HasSubstr("8 cells: 0 are built already")));
  const auto ran = sweep({"run", "--wait"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("(nightly) succeeded: 8 green, in "));
  // The COPY and the RUN of +common, and a RUN and a SAVE ARTIFACT of each cell.
  EXPECT_EQ(metric("ingot_steps_executed_total"), 2 + 8 * 1);
  EXPECT_THAT(sweep({"plan", "-q"}).out, HasSubstr("8 cells: 8 are built already"));
  const auto again = sweep({"run", "--wait"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out,
              AllOf(HasSubstr("succeeded v1 a (was there)"), HasSubstr("8 green (8 of them were there already)")));
  EXPECT_EQ(metric("ingot_steps_executed_total"), 2 + 8 * 1);
}

TEST_F(Sweeps, a_red_cell_is_told_with_its_error_and_repeated_alone) {
  daemon->project_file("broken", "v2b\n");
  const auto ran = sweep({"run", "--wait"});
  EXPECT_EQ(ran.code, 1) << "that a cell failed is told from what could not be run";
  EXPECT_THAT(ran.out, AllOf(HasSubstr("7 green, 1 red"),
                             HasSubstr("red 1: v2 b\n    Earthfile:10: the command ended with exit code 1")));
  const std::string id = last_sweep();
  const auto shown = sweep({"show", id});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("     a    b  \n"), HasSubstr("v2   +    X  \n")));
  EXPECT_THAT(sweep({"logs", id}).out, HasSubstr("! grep -qx"));
  EXPECT_THAT(sweep({"logs", id, "v1 x"}).err, HasSubstr("did you mean \"v1 a\""));
  EXPECT_EQ(sweep({"report", id, "--format", "junit", "-o", "junit.xml"}).code, 0);
  EXPECT_THAT(slurp(daemon->project() / "junit.xml"),
              AllOf(HasSubstr("tests=\"9\" failures=\"1\""),
                    HasSubstr("<failure message=\"the command ended with exit code 1\">")));
  EXPECT_THAT(sweep({"report", id}).out, HasSubstr("| 1: v2 b | Earthfile:10: the command ended with exit code 1 |"));
  EXPECT_EQ(json::parse(sweep({"report", id, "--format", "json"}).out)["counts"]["failed"], 1);

  const auto repeated = sweep({"retry", "--failed", "--wait", id});
  EXPECT_EQ(repeated.code, 1) << "it is of the project as it was sent";
  daemon->project_file("broken", "none\n");
  const auto mended = sweep({"run", "--wait"});
  EXPECT_EQ(mended.code, 0);
  EXPECT_THAT(mended.out, HasSubstr("works again since the last: v2 b"));
  EXPECT_THAT(sweep({"diff", id, last_sweep()}).out, HasSubstr("works again  v2 b\n"));
}

TEST_F(Sweeps, what_is_wrong_is_told_at_its_line_and_nothing_is_queued) {
  daemon->project_file("sweep.yaml", "targets: [+sell]\naxes:\n  W: [1]\n  OS: []\n");
  const auto refused = sweep({"run"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("sweep.yaml:4:3: axis OS has no values"));
  daemon->project_file("sweep.yaml", "targets: [+sell]\naxes:\n  OSS: [1]\n");
  EXPECT_THAT(
      sweep({"plan"}).err,
      AllOf(HasSubstr("sweep.yaml:1:11: there is no target +sell"), HasSubstr("did you mean \"+cell\"?"),
            HasSubstr("sweep.yaml:3:3: OSS is no argument of this project"), HasSubstr("there are 2 mistakes")));
  EXPECT_EQ(sweep({"run", "nowhere.yaml"}).code, 3);
  EXPECT_EQ(sweep({"wait", "none"}).code, 3);
  EXPECT_THAT(sweep({"rum"}).err, HasSubstr("did you mean \"run\"?"));
  EXPECT_EQ(daemon->ingot({"ps", "--all", "-q"}).out, "");
}

TEST_F(Sweeps, of_an_edge_project_has_its_cells_checked_as_builds_are) {
  ASSERT_EQ(daemon->ingot({"init", "edge"}).code, 0);
  daemon->project_file("edge/sweep.yaml",
                       "targets: [+provider-image]\nargs: {OS_DISTRIBUTION: debian}\naxes:\n  K8S_VERSION: latest 2 "
                       "minors\n  OS_VERSION: [\"12\", \"99\"]\n");
  const auto refused = daemon->ingot({"-C", "edge", "sweep", "plan"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("OS_VERSION=\"99\""), HasSubstr("there is a mistake")));
  daemon->project_file("edge/sweep.yaml", "targets: [+provider-image]\naxes: {K8S_VERSION: 1.99.x}\n");
  EXPECT_THAT(daemon->ingot({"-C", "edge", "sweep", "plan"}).err,
              AllOf(HasSubstr("sweep.yaml:2:21: \"1.99.x\" is no version of k3s"), HasSubstr("there are 1.2")));
}

TEST_F(Sweeps, submitted_twice_at_the_same_moment_are_one) {
  daemon->project_file("broken", "v1a\n");  // so that their images are not there before
  RunningClient first(*daemon, {"sweep", "run", "--wait"});
  RunningClient second(*daemon, {"sweep", "run", "--wait"});
  EXPECT_EQ(first.wait(), 1) << first.log();
  EXPECT_EQ(second.wait(), 1) << second.log();
  EXPECT_EQ(json::parse(sweep({"ls", "--json"}).out)["sweeps"].size(), 1U) << first.log() << second.log();
}

TEST_F(Sweeps, whole_publishing_moves_no_tag_while_a_cell_is_red) {
  daemon->project_file("sweep.yaml", std::string(kGrid) + "push: true\npublish: all-or-nothing\n");
  daemon->project_file("broken", "v3a\n");
  EXPECT_EQ(sweep({"run", "--wait"}).code, 1);
  EXPECT_THAT(registry.log(), Not(HasSubstr("PUT /v2/x/manifests")));
  daemon->project_file("broken", "none\n");
  const auto green = sweep({"run", "--wait"});
  EXPECT_EQ(green.code, 0) << green.out << green.err;
  for (const char* tag : {"v1-a", "v3-a", "v4-b"}) EXPECT_NE(registry.inspect("x:" + std::string(tag)), "") << tag;
}

TEST_F(Sweeps, a_registry_that_is_down_half_way_is_asked_again) {
  daemon->project_file("sweep.yaml", std::string(kGrid) + "push: true\npublish: all-or-nothing\n");
  registry.stop();
  RunningClient client(*daemon, {"sweep", "run", "--wait"});
  ASSERT_TRUE(holds_soon([&] {
    const auto sweeps = json::parse(sweep({"ls", "--json"}).out)["sweeps"];
    return !sweeps.empty() && sweeps[0]["state"] == "publishing";
  })) << client.log();
  registry.start();
  EXPECT_EQ(client.wait(), 0) << client.log();
  EXPECT_NE(registry.inspect("x:v2-b"), "");
}

TEST_F(Sweeps, secrets_are_given_by_name_and_are_gone_with_the_last_cell) {
  daemon->project_file(
      "Earthfile",
      "VERSION 0.8\ncell:\n    FROM tiny\n    ARG --required V\n    RUN --secret TOKEN test \"$TOKEN\" = "
      "a-secret-word && echo $V\n");
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [a, b, c]}\nsecrets: [TOKEN]\n");
  EXPECT_EQ(sweep({"plan"}).code, 0) << "a plan needs none";
  const auto without = sweep({"run"});
  EXPECT_NE(without.code, 0);
  EXPECT_THAT(without.err, HasSubstr("TOKEN"));
  EXPECT_EQ(daemon->ingot({"ps", "--all", "-q"}).out, "");
  const auto ran = daemon->ingot({"sweep", "run", "--wait"}, {{"TOKEN", "a-secret-word"}});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(daemon->secrets_on_host(), "");
  EXPECT_THAT(sweep({"show", "--json", last_sweep()}).out, Not(HasSubstr("a-secret-word")));
}

TEST_F(Sweeps, secrets_go_with_cells_that_are_canceled_in_the_queue) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\ncell:\n    FROM tiny\n    ARG --required V\n    RUN --secret TOKEN sleep 100\n");
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [a, b, c, d, e]}\nsecrets: [TOKEN]\n");
  ASSERT_EQ(daemon->ingot({"sweep", "run"}, {{"TOKEN", "a-secret-word"}}).code, 0);
  EXPECT_NE(daemon->secrets_on_host(), "");
  EXPECT_EQ(sweep({"cancel", last_sweep()}).code, 0);
  EXPECT_EQ(sweep({"wait", last_sweep()}).code, 130);
  EXPECT_TRUE(holds_soon([&] { return daemon->secrets_on_host().empty(); })) << daemon->secrets_on_host();
}

TEST_F(Sweeps, canceled_they_end_at_once) {
  daemon->project_file("Earthfile", "VERSION 0.8\ncell:\n    FROM tiny\n    ARG --required V\n    RUN sleep 100\n");
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [a, b, c, d, e, f]}\n");
  RunningClient client(*daemon, {"sweep", "run", "--wait"});
  ASSERT_TRUE(holds_soon([&] { return json::parse(daemon->ingot({"ps", "--json"}).out)["jobs"].size() == 6; }));
  EXPECT_EQ(sweep({"cancel", last_sweep()}).code, 0);
  EXPECT_EQ(client.wait(), 130) << client.log();
  EXPECT_THAT(client.log(), HasSubstr("canceled: 0 green, 6 canceled"));
}

// One submits forty cells, the other ten a moment later: these do not wait for those. The daemon runs three jobs at
// once, and what each has of them is held against the other's at every end of a cell.
TEST_F(Sweeps, of_two_people_have_equal_shares) {
  daemon->stop();
  daemon.emplace(std::vector<std::string>{"--jobs-parallel", "3", "--socket-mode", "0666"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\ncell:\n    FROM tiny\n    ARG --required V\n    RUN echo $V && sleep 0.2\n");
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [" + numbers(1, 40) + "]}\n");
  ASSERT_EQ(sweep({"run"}).code, 0);
  const std::string first = last_sweep();
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [" + numbers(101, 110) + "]}\n");
  for (const auto& path : {daemon->socket().parent_path(), daemon->project()})
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  const auto other = run_program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary("ingot"), "-C",
                                  daemon->project(), "--socket", daemon->socket(), "sweep", "run", "--wait"});
  ASSERT_EQ(other.code, 0) << other.err;
  const std::string second = last_sweep();
  ASSERT_NE(first, second);
  EXPECT_EQ(json::parse(sweep({"show", "--json", second}).out)["submitter"]["uid"], 65534);
  const auto after = json::parse(sweep({"show", "--json", first}).out);
  // While the ten ran, about ten of the forty did; those that ended before the second came are beside them.
  const auto ended = after["counts"].value("succeeded", 0);
  EXPECT_GE(ended, 7) << "the first went on";
  EXPECT_LE(ended, 20) << "the second had its half";
  EXPECT_EQ(sweep({"wait", first}).code, 0);
}

// What is built is the project as it was sent, and a plan sends nothing that a run would take for its own.
TEST_F(Sweeps, build_the_project_as_it_is_when_they_run) {
  ASSERT_EQ(sweep({"plan"}).code, 0);
  daemon->project_file("broken", "v1a\n");
  const auto ran = sweep({"run", "--wait"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("red 1: v1 a"));
  EXPECT_THAT(sweep({"plan", "-q"}).out, HasSubstr("8 cells: 7 are built already"));
  daemon->project_file("broken", "v2b\n");
  EXPECT_THAT(sweep({"plan", "-q"}).out, HasSubstr("8 cells: 0 are built already"));
}

}  // namespace
}  // namespace ingot::test
