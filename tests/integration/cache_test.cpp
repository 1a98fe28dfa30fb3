#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/test_daemon.h"

// Nothing is done twice: seen by the output of steps that tell when they run.
namespace ingot::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kProject = R"(VERSION 0.8
FROM tiny
all:
    BUILD +iso --FLAVOR=one
    BUILD +iso --FLAVOR=two
kernel:
    COPY source /source
    RUN echo kernel "runs" && cat /source > /vmlinuz
    SAVE ARTIFACT /vmlinuz boot/kernel
iso:
    ARG FLAVOR=plain
    WORKDIR /iso
    COPY +kernel/boot/kernel .
    COPY user-data .
    RUN echo iso "runs" && { cat kernel user-data; echo $FLAVOR; } > /out.iso
    SAVE ARTIFACT /out.iso AS LOCAL build/$FLAVOR.iso
)";

class Cache : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
    daemon->project_file("Earthfile", kProject);
    daemon->project_file("source", "linux\n");
    daemon->project_file("user-data", "v1\n");
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::string build(const std::vector<std::string>& words = {"+all"}) {
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    auto built = daemon->ingot(arguments);
    EXPECT_EQ(built.code, 0) << built.out << built.err;
    return built.out + built.err;
  }
  std::string local(const std::string& path) { return slurp(daemon->project() / path); }
  std::optional<TestDaemon> daemon;
};

TEST_F(Cache, targets_share_what_is_equal_and_a_second_build_runs_nothing) {
  const std::string first = build();
  EXPECT_EQ(local("build/one.iso"), "linux\nv1\none\n");
  EXPECT_EQ(local("build/two.iso"), "linux\nv1\ntwo\n");
  EXPECT_EQ(first.find("kernel runs"), first.rfind("kernel runs")) << "once for both\n" << first;
  std::filesystem::remove_all(daemon->project() / "build");
  const std::string second = build();
  EXPECT_THAT(second, Not(HasSubstr(" runs")));
  EXPECT_THAT(second, HasSubstr("*cached*"));
  EXPECT_EQ(local("build/two.iso"), "linux\nv1\ntwo\n") << "delivered all the same";
}

TEST_F(Cache, a_file_that_a_target_does_not_take_rebuilds_nothing_of_it) {
  build();
  daemon->project_file("user-data", "v2\n");
  const std::string changed = build();
  EXPECT_THAT(changed, HasSubstr("iso runs"));
  EXPECT_THAT(changed, Not(HasSubstr("kernel runs")));
  EXPECT_EQ(local("build/one.iso"), "linux\nv2\none\n");
  daemon->project_file("README", "nobody copies this\n");
  EXPECT_THAT(build(), Not(HasSubstr(" runs")));
}

TEST_F(Cache, it_survives_the_daemon_and_is_pruned_on_demand) {
  build();
  daemon->stop();
  daemon->start();
  EXPECT_THAT(build(), Not(HasSubstr(" runs")));
  EXPECT_THAT(daemon->ingot({"cache", "du"}).out, HasSubstr("layers"));
  EXPECT_THAT(daemon->ingot({"cache", "prune", "--dry-run"}).out, HasSubstr("would remove"));
  EXPECT_THAT(daemon->ingot({"cache", "prune"}).out, HasSubstr("removed"));
  const auto usage = nlohmann::json::parse(daemon->ingot({"cache", "du", "--json"}).out);
  EXPECT_EQ(usage["bytes"], 0);
  EXPECT_THAT(build(), HasSubstr("kernel runs"));
}

TEST_F(Cache, plan_tells_beforehand_what_would_run) {
  const auto plan = [&](const std::vector<std::string>& flags = {}) {
    std::vector<std::string> arguments{"plan", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.emplace_back("+iso");
    auto planned = daemon->ingot(arguments);
    EXPECT_EQ(planned.code, 0) << planned.err;
    std::map<std::string, std::string> states;
    const auto body = nlohmann::json::parse(planned.out);
    for (const auto& step : body["steps"]) states[step["text"]] = step["state"];
    return states;
  };
  const std::string last = "RUN echo iso \"runs\" && { cat kernel user-data; echo $FLAVOR; } > /out.iso";
  auto states = plan();
  EXPECT_EQ(states["COPY source /source"], "runs");
  EXPECT_EQ(states[last], "may run");
  EXPECT_EQ(daemon->ingot({"ps", "--all", "-q"}).out, "") << "a plan is no job";
  build({"+iso"});
  states = plan();
  EXPECT_EQ(states[last], "cached");
  EXPECT_EQ(states["COPY source /source"], "not needed");
  daemon->project_file("user-data", "v2\n");
  states = plan();
  EXPECT_EQ(states["COPY +kernel/boot/kernel ."], "cached");
  EXPECT_EQ(states["COPY user-data ."], "runs");
  EXPECT_EQ(states[last], "may run");
  EXPECT_EQ(plan({"--no-cache"})["COPY source /source"], "runs");

  const std::string text = daemon->ingot({"plan", "+iso"}).out;
  EXPECT_THAT(text, HasSubstr("artifact build/plain.iso"));
  EXPECT_THAT(text, HasSubstr("1 run, 1 may run"));
  EXPECT_THAT(daemon->ingot({"plan", "--format", "dot", "+iso"}).out, testing::StartsWith("digraph plan {"));
  auto wrong = daemon->ingot({"plan", "+izo"});
  EXPECT_THAT(wrong.err, HasSubstr("did you mean"));
  EXPECT_NE(wrong.code, 0);
}

TEST_F(Cache, why_names_what_changed_and_since_when) {
  const auto job_of = [&](const std::vector<std::string>& words) {
    std::vector<std::string> arguments{"build", "--json"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return nlohmann::json::parse(daemon->ingot(arguments).out)["id"].get<std::string>();
  };
  const auto why = [&](const std::string& job, const std::string& step = {}) {
    std::vector<std::string> arguments{"why", job};
    if (!step.empty()) arguments.push_back(step);
    auto answer = daemon->ingot(arguments);
    EXPECT_EQ(answer.code, 0) << answer.err;
    return answer.out;
  };
  const std::string first = job_of({"+iso"});
  EXPECT_THAT(why(first, "RUN echo iso"), HasSubstr("no earlier job had this step"));
  daemon->project_file("user-data", "v2\n");
  const std::string second = job_of({"+iso"});
  EXPECT_THAT(why(second, "COPY user-data"), HasSubstr("file user-data changed\n  compared with job " + first));
  EXPECT_THAT(why(second, "RUN echo iso"), HasSubstr("what it stands on (+iso COPY user-data .) changed"));
  EXPECT_THAT(why(second, "COPY source"), HasSubstr("did not run"));
  const std::string third = job_of({"+iso", "--FLAVOR=extra"});
  EXPECT_THAT(why(third, "RUN echo iso"), HasSubstr("$FLAVOR changed\n  compared with job " + second));
  EXPECT_THAT(why(job_of({"--no-cache", "+iso"}), "RUN echo iso"), HasSubstr("--no-cache"));
  const auto absent = daemon->ingot({"why", third, "RUN nothing"});
  EXPECT_THAT(absent.err, HasSubstr("the job has no step"));
  EXPECT_THAT(daemon->ingot({"why", "zzz"}).err, HasSubstr("zzz"));
}

TEST_F(Cache, no_cache_runs_everything_anew) {
  build({"+iso"});
  const std::string anew = build({"--no-cache", "+iso"});
  EXPECT_THAT(anew, HasSubstr("kernel runs"));
  EXPECT_THAT(anew, HasSubstr("iso runs"));
}

TEST_F(Cache, no_cache_of_a_target_runs_that_one_anew) {
  build({"+iso"});
  const std::string plan = daemon->ingot({"plan", "--no-cache=+kernel", "+iso"}).out;
  EXPECT_THAT(plan, HasSubstr("runs        RUN echo kernel"));
  EXPECT_THAT(plan, HasSubstr("may run     RUN echo iso"));
  const std::string anew = build({"--no-cache=+kernel", "+iso"});
  EXPECT_THAT(anew, HasSubstr("kernel runs"));
  EXPECT_THAT(anew, Not(HasSubstr("iso runs"))) << "the kernel came out as it was";
  const std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
  EXPECT_THAT(daemon->ingot({"why", job.substr(0, job.find('\n')), "RUN echo kernel"}).out,
              HasSubstr("it was to run anew: --no-cache=+kernel"));
  EXPECT_THAT(build({"--no-cache=+iso", "+iso"}), Not(HasSubstr("kernel runs")));
  EXPECT_THAT(build({"--no-cache=+all", "+iso"}), HasSubstr("has no effect: +iso does not need that target"));
  auto wrong = daemon->ingot({"build", "--no-cache=+kernl", "+iso"});
  EXPECT_NE(wrong.code, 0);
  EXPECT_THAT(wrong.out + wrong.err, HasSubstr("Earthfile has no target \"+kernl\""));
  EXPECT_THAT(wrong.out + wrong.err, HasSubstr("did you mean \"kernel\"?"));
}

TEST_F(Cache, cache_mounts_outlive_their_step_and_are_in_no_layer) {
  daemon->project_file(
      "Earthfile",
      "VERSION 0.8\nt:\n    FROM tiny\n    ARG N\n    CACHE /keep/it\n"
      "    RUN --mount=type=tmpfs,target=/fast echo $N >> /keep/it/list && touch /fast/x && cat /keep/it/list\n"
      "    FROM +u --N=$N\n    RUN ls -d /keep /fast || echo neither is there\n"
      "u:\n    FROM tiny\n    ARG N\n    RUN echo $N > /n\n");
  EXPECT_THAT(build({"+t", "--N=1"}), HasSubstr("| 1\n"));
  const std::string second = build({"+t", "--N=2"});
  EXPECT_THAT(second, HasSubstr("| 1\n                  +t | 2\n"));
  EXPECT_THAT(second, HasSubstr("neither is there"));
}

TEST_F(Cache, cache_mounts_are_told_pruned_and_begin_anew) {
  daemon->project_file(
      "Earthfile",
      "VERSION 0.8\nt:\n    FROM tiny\n    CACHE /keep\n"
      "    RUN --no-cache cat /keep/x | wc -c && head -c 300000 /dev/zero > /keep/x\n"
      "slow:\n    FROM tiny\n    RUN --mount=type=cache,id=slow,target=/s echo 1 > /s/x && sleep 100\n");
  const auto usage = [&] { return nlohmann::json::parse(daemon->ingot({"cache", "du", "--json"}).out); };
  build({"+t"});
  EXPECT_EQ(usage()["cache_mounts"], 1);
  EXPECT_THAT(daemon->ingot({"cache", "prune", "--older-than", "1h"}).out, Not(HasSubstr("cache mounts")));
  EXPECT_THAT(daemon->ingot({"cache", "prune", "--dry-run"}).out, HasSubstr("would remove 1 cache mounts, 2"));
  EXPECT_GE(usage()["cache_mount_bytes"], 300'000) << "measured for it";
  EXPECT_THAT(daemon->ingot({"cache", "prune", "--keep", "1G"}).out, Not(HasSubstr("cache mounts")));
  EXPECT_THAT(build({"+t"}), HasSubstr("| 300000\n"));

  const std::string job = daemon->ingot({"submit", "+slow"}).out;
  for (int i = 0; i < 200 && usage()["cache_mounts"] < 2; ++i) usleep(50'000);
  EXPECT_THAT(daemon->ingot({"cache", "prune"}).out, HasSubstr("removed 1 cache mounts, 2"));
  EXPECT_EQ(usage()["cache_mounts"], 1) << "a step has the other one";
  daemon->ingot({"cancel", job.substr(0, job.find('\n'))});
  daemon->ingot({"wait", job.substr(0, job.find('\n'))});
  EXPECT_THAT(build({"+t"}), HasSubstr("| 0\n"));
}

TEST_F(Cache, a_chain_of_three_hundred_steps_keeps_what_each_of_them_did) {
  std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    RUN mkdir -p /d/old /gone && echo x > /gone/x && echo keep > /keep\n";
  recipe += "    RUN ln /keep /linked && rm -r /gone /d && mkdir /d && echo new > /d/new\n";
  for (int i = 0; i < 300; ++i) recipe += "    COPY source /s/" + std::to_string(i) + "\n";
  recipe +=
      "    RUN ls /s | wc -l && ls /d && test ! -e /gone && test /keep -ef /linked && echo one file && cat /linked\n   "
      " SAVE IMAGE long\n";
  daemon->project_file("Earthfile", recipe);
  EXPECT_THAT(build({"+t"}), HasSubstr("| 300\n                  +t | new\n                  +t | one file\n"));
  const std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
  const auto manifest = daemon->ingot({"get", job.substr(0, job.find('\n')), "-o", "-"});
  ASSERT_EQ(manifest.code, 0) << manifest.err;
  EXPECT_LE(nlohmann::json::parse(manifest.out)["layers"].size(), 125U) << "docker takes no more";
}

TEST_F(Cache, a_missing_artifact_is_said_at_its_line) {
  daemon->project_file(
      "Earthfile",
      "VERSION 0.8\nt:\n    FROM tiny\n    COPY +u/x /\nu:\n    FROM tiny\n    SAVE ARTIFACT /nowhere x\n");
  auto failed = daemon->ingot({"build", "+t"});
  EXPECT_NE(failed.code, 0);
  EXPECT_THAT(failed.out + failed.err, HasSubstr("SAVE ARTIFACT: \"/nowhere\" is not in the target's file system"));
  EXPECT_THAT(failed.out + failed.err, HasSubstr("Earthfile:7"));
}

// By what is counted, which tests/crash holds against the disk.
TEST_F(Cache, what_is_copied_again_costs_no_bytes) {
  daemon->project_file("Earthfile", R"(VERSION 0.8
FROM tiny
tree:
    RUN mkdir -p /tree/sub && for i in 1 2 3 4 5 6; do head -c 1000000 /dev/urandom > /tree/sub/$i; done
    SAVE ARTIFACT /. rootfs
one:
    COPY +tree/rootfs /one
two:
    COPY +tree/rootfs /two
    RUN chmod 0600 /two/tree/sub/1 && head -c 5 /two/tree/sub/6 > /head
    SAVE ARTIFACT /two/tree/sub/2 AS LOCAL two
project:
    COPY large /first
again:
    COPY large /second
)");
  const auto cost = [&](const std::string& target) {
    const auto counted = [&] {
      const auto usage = nlohmann::json::parse(daemon->ingot({"cache", "du", "--json"}).out);
      return usage["bytes"].get<std::int64_t>() + usage["blob_bytes"].get<std::int64_t>();
    };
    const auto before = counted();
    build({target});
    return counted() - before;
  };
  constexpr std::int64_t kMegabyte = 1'000'000;
  EXPECT_GT(cost("+one"), 11 * kMegabyte) << "the files, and the first that have a COPY's times";
  EXPECT_LT(cost("+two"), 3 * kMegabyte) << "the one that it changes, and the artifact";
  EXPECT_EQ(local("two").size(), 1'000'000U);
  daemon->project_file("large", std::string(3 << 20, 'x'));
  const auto with_upload = cost("+project");
  EXPECT_GT(with_upload, 3 * kMegabyte);
  EXPECT_LT(with_upload, 4 * kMegabyte) << "the blob is the layer's file";
  EXPECT_LT(cost("+again"), kMegabyte / 10);
}

}  // namespace
}  // namespace ingot::test
