#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/metrics_text.h"
#include "tests/support/test_daemon.h"

// What a daemon tells of itself, gives up in time, and mends.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kProject =
    "VERSION 0.8\nFROM tiny\nroot:\n    RUN echo base > /base\nall:\n    FROM +root\n    COPY source /source\n"
    "    RUN cat /base /source > /out\n    SAVE ARTIFACT /out AS LOCAL out\n    SAVE ARTIFACT /base\n"
    "bad:\n    RUN false\n";

class Upkeep : public testing::Test {
 protected:
  void begin(std::vector<std::string> flags = {}) {
    daemon = std::make_unique<TestDaemon>(std::move(flags));
    daemon->project_file("Earthfile", kProject);
    daemon->project_file("source", "v1\n");
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  }
  void TearDown() override {
    if (!daemon) return;
    if (daemon->pid() != 0) daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::string build(const std::string& target = "+all") {
    auto built = daemon->ingot({"build", "--json", target});
    return json::parse(built.out).value("id", "");
  }
  std::map<std::string, double> metrics() { return parse_metrics(daemon->curl({"http://ingot/metrics"}).out); }
  json usage() { return json::parse(daemon->ingot({"cache", "du", "--json"}).out); }
  template <typename Condition>
  bool soon(Condition condition) {
    for (int i = 0; i < 300; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  std::unique_ptr<TestDaemon> daemon;
};

TEST_F(Upkeep, metrics_tell_what_was_done) {
  begin({"--steps-parallel", "3"});
  auto before = metrics();
  EXPECT_EQ(before.at("ingot_steps_executed_total"), 0);
  EXPECT_EQ(before.at("ingot_slots"), 3);
  build();
  auto first = metrics();
  EXPECT_EQ(first.at("ingot_steps_executed_total"), 3);
  EXPECT_EQ(first.at(R"(ingot_step_cache_hits_total{kind="key"})"), 0);
  EXPECT_EQ(first.at(R"(ingot_jobs_finished_total{outcome="succeeded"})"), 1);
  EXPECT_EQ(first.at("ingot_artifacts_saved_bytes_total"), 8 + 5);
  EXPECT_GT(first.at("ingot_images_fetched_bytes_total"), 0);
  EXPECT_GT(first.at(R"(ingot_disk_bytes{kind="layers"})"), 0);
  EXPECT_GT(first.at(R"(ingot_disk_bytes{kind="logs"})"), 0);
  EXPECT_GT(first.at(R"(ingot_disk_bytes{kind="blobs"})"), 0);
  EXPECT_EQ(first.at("ingot_step_duration_seconds_count"), 3);
  EXPECT_EQ(first.at("ingot_job_queue_seconds_count"), 1);
  build();
  auto second = metrics();
  EXPECT_EQ(second.at("ingot_steps_executed_total"), 3) << "nothing ran";
  EXPECT_GT(second.at(R"(ingot_step_cache_hits_total{kind="key"})"), 0);
  EXPECT_EQ(second.at(R"(ingot_jobs_finished_total{outcome="succeeded"})"), 2);
  EXPECT_EQ(second.at("ingot_images_fetched_bytes_total"), first.at("ingot_images_fetched_bytes_total"));
  build("+bad");
  auto third = metrics();
  EXPECT_EQ(third.at("ingot_steps_failed_total"), 1);
  EXPECT_EQ(third.at(R"(ingot_jobs_finished_total{outcome="failed"})"), 1);
  EXPECT_EQ(third.at(R"(ingot_jobs{state="running"})"), 0);
  EXPECT_THAT(daemon->curl({"-D", "-", "-o", "/dev/null", "http://ingot/metrics"}).out,
              HasSubstr("Content-Type: text/plain; version=0.0.4"));
}

TEST_F(Upkeep, artifacts_are_removed_by_hand_and_made_again) {
  begin({"--retention-contexts", "1s"});
  const std::string job = build();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const auto before = usage();
  EXPECT_THAT(daemon->ingot({"artifacts", "ls", job}).out, HasSubstr("out"));
  auto removed = daemon->ingot({"artifacts", "rm", job, "out"});
  EXPECT_EQ(removed.code, 0) << removed.err;
  EXPECT_THAT(removed.out, HasSubstr("removed out"));
  EXPECT_TRUE(soon([&] { return usage()["blobs"] == before["blobs"].get<int>() - 1; })) << usage();
  EXPECT_THAT(daemon->ingot({"show", job}).out, HasSubstr("out  (removed on "));
  auto gone = daemon->ingot({"get", job, "out", "-o", "-"});
  EXPECT_EQ(gone.code, 3) << gone.err;
  EXPECT_THAT(gone.err, HasSubstr("was removed on "));
  EXPECT_THAT(gone.err, HasSubstr("`ingot retry " + job + "` makes it again"));
  auto rest = daemon->ingot({"get", job, "-o", "there/"});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("1 of the job's 2 artifacts were removed"));
  EXPECT_EQ(slurp(daemon->project() / "there/base"), "base\n");
  EXPECT_THAT(daemon->curl({"http://ingot/v1/jobs/" + job + "/artifacts/1"}).out, HasSubstr("was removed"));
  EXPECT_EQ(daemon->ingot({"artifacts", "rm", job}).code, 0) << "all, also what is gone";

  auto again = daemon->ingot({"retry", "--follow", "--quiet", job});
  EXPECT_EQ(again.code, 0) << again.err;
  const std::string made = again.out.substr(0, again.out.find('\n'));
  EXPECT_EQ(daemon->ingot({"get", made, "out", "-o", "-"}).out, "base\nv1\n");
}

TEST_F(Upkeep, what_is_too_old_goes_by_itself) {
  begin({"--retention-jobs", "4s", "--retention-contexts", "1s"});
  const std::string job = build();
  EXPECT_GT(usage()["contexts"], 0);
  EXPECT_TRUE(soon([&] { return daemon->ingot({"show", job}).code != 0; }));
  // The base's own layer stays, as the base does.
  EXPECT_TRUE(soon([&] { return usage()["contexts"] == 0 && usage()["blobs"] == 1; })) << usage();
  EXPECT_FALSE(std::filesystem::exists(daemon->state() / ("logs/" + job + ".ndjson")));
  EXPECT_EQ(usage()["log_bytes"], 0);
  EXPECT_THAT(daemon->log(), HasSubstr("gave up 1 jobs"));
  EXPECT_NE(build(), "") << "all of it is made again";
  EXPECT_EQ(slurp(daemon->project() / "out"), "base\nv1\n");
}

TEST_F(Upkeep, pruning_takes_what_an_upload_left) {
  begin({"--retention-contexts", "2s"});
  const std::string digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  daemon->curl({"-X", "PUT", "-d", "", "http://ingot/v1/blobs/" + digest});
  EXPECT_EQ(usage()["blobs"], 1);
  EXPECT_TRUE(soon([&] { return usage()["blobs"] == 0; })) << usage();
}

TEST_F(Upkeep, what_cache_mounts_keep_is_counted) {
  begin({"--retention-contexts", "1s"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nFROM tiny\nall:\n    CACHE /keep\n    RUN head -c 300000 /dev/zero > /keep/x\n");
  EXPECT_EQ(usage()["cache_mount_bytes"], 0);
  build();
  EXPECT_TRUE(soon([&] { return usage()["cache_mount_bytes"] >= 300'000; })) << usage();
  EXPECT_GE(metrics().at(R"(ingot_disk_bytes{kind="cache mounts"})"), 300'000);
  daemon->stop();
  daemon->start();
  EXPECT_TRUE(soon([&] { return usage()["cache_mount_bytes"] >= 300'000; })) << usage();
}

TEST_F(Upkeep, cache_mounts_are_collected_when_the_limit_is_reached) {
  begin({"--cache-max-size", "4M", "--retention-contexts", "1s"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nFROM tiny\nall:\n    CACHE /keep\n"
                       "    RUN head -c 5000000 /dev/urandom > /keep/x\n");
  build();
  EXPECT_TRUE(soon([&] { return metrics().at(R"(ingot_collected_total{kind="cache mounts"})") == 1; })) << usage();
  EXPECT_EQ(usage()["cache_mounts"], 0);
}

TEST_F(Upkeep, the_limit_counts_artifacts_too) {
  begin({"--cache-max-size", "5M"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nFROM tiny\nsmall:\n    RUN echo 1 > /x\n"
                       "large:\n    RUN head -c 5000000 /dev/zero > /x\n    SAVE ARTIFACT /x\n");
  build("+small");
  EXPECT_GT(usage()["layers"], 0);
  build("+large");
  EXPECT_TRUE(soon([&] {
    daemon->ingot({"cache", "du"});
    build("+small");
    return daemon->log().find("artifacts, contexts and logs alone have") != std::string::npos;
  })) << daemon->log();
}

TEST_F(Upkeep, a_job_waits_until_there_is_room_for_it) {
  begin({"--cache-max-size", "12M", "--jobs-parallel", "3", "--steps-parallel", "3"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nFROM tiny\nlarge:\n    RUN head -c 7000000 /dev/urandom > /x\n"
                       "sleep:\n    FROM +large\n    RUN sleep 100\n");
  build("+large");
  // Holds seven of the twelve megabytes while it sleeps.
  const auto submit = [&](const std::vector<std::string>& words) {
    std::vector<std::string> arguments{"submit"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    auto queued = daemon->ingot(arguments);
    EXPECT_EQ(queued.code, 0) << queued.err;
    return queued.out.substr(0, queued.out.find('\n'));
  };
  const std::string sleeping = submit({"+sleep"});
  EXPECT_TRUE(soon([&] { return metrics().at("ingot_slots_used") == 1; }));
  const std::string waiting = submit({"--no-cache", "+large"});
  EXPECT_TRUE(soon([&] { return daemon->ingot({"ps"}).out.find("waiting-for-disk") != std::string::npos; }))
      << daemon->ingot({"show", waiting}).out;
  EXPECT_EQ(json::parse(daemon->ingot({"show", "--json", waiting}).out)["phase"], "waiting-for-disk");
  EXPECT_EQ(metrics().at("ingot_jobs_waiting_for_disk"), 1);
  EXPECT_THAT(daemon->ingot({"logs", waiting}).out, HasSubstr("waiting for disk: this job is likely to need 6.7 MiB"));
  daemon->ingot({"cancel", sleeping});
  EXPECT_EQ(daemon->ingot({"wait", waiting}).code, 0);
  EXPECT_THAT(daemon->ingot({"logs", waiting}).out, HasSubstr("there is room now"));
  EXPECT_LE(usage()["total_bytes"], 12 << 20);
}

TEST_F(Upkeep, what_two_jobs_are_about_to_do_needs_its_room_once) {
  begin({"--cache-max-size", "12M", "--jobs-parallel", "3", "--steps-parallel", "3"});
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nFROM tiny\nlarge:\n    COPY v /v\n"
                       "    RUN sleep 6 && head -c 7000000 /dev/urandom > /x\n");
  daemon->project_file("v", "1");
  build("+large");
  daemon->project_file("v", "2");
  const auto submit = [&](std::vector<std::string> arguments) {
    auto queued = daemon->ingot(arguments);
    EXPECT_EQ(queued.code, 0) << queued.err;
    return queued.out.substr(0, queued.out.find('\n'));
  };
  const std::string first = submit({"submit", "+large"});
  EXPECT_TRUE(soon([&] { return metrics().at("ingot_slots_used") == 1; }));
  const std::string equal = submit({"submit", "+large"});
  const std::string other = submit({"submit", "--no-cache", "+large"});
  for (const auto& job : {first, equal, other}) EXPECT_EQ(daemon->ingot({"wait", job}).code, 0);
  for (const auto& job : {first, equal}) {
    EXPECT_THAT(daemon->ingot({"logs", job}).out, Not(HasSubstr("waiting for disk"))) << job;
  }
  EXPECT_THAT(daemon->ingot({"logs", other}).out, HasSubstr("waiting for disk")) << "what is run anew needs its own";
}

TEST_F(Upkeep, a_job_that_can_never_fit_is_tried_when_nothing_else_runs) {
  begin({"--cache-max-size", "2M"});
  daemon->project_file("Earthfile", "VERSION 0.8\nFROM tiny\nlarge:\n    RUN head -c 4000000 /dev/urandom > /x\n");
  build("+large");
  auto again = daemon->ingot({"build", "--no-cache", "+large"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out + again.err, HasSubstr("nothing else runs that could make some, so it is tried"));
}

TEST_F(Upkeep, a_state_directory_is_checked_and_mended_while_no_daemon_runs) {
  begin();
  const std::string job = build();
  const auto fsck = [&](const std::string& how) {
    return run_program({binary("ingotd"), "--state-dir", daemon->state(), how});
  };
  auto refused = fsck("--fsck");
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("stop it first"));
  daemon->kill();
  auto clean = fsck("--fsck=full");
  EXPECT_EQ(clean.code, 0) << clean.out;
  EXPECT_THAT(clean.out, HasSubstr("clean"));
  for (const auto& file : std::filesystem::recursive_directory_iterator(daemon->state() / "blobs")) {
    if (file.is_regular_file() && file.path().string().find("unsynced") == std::string::npos) {
      std::ofstream(file.path(), std::ios::app) << "damage";
    }
  }
  auto mended = fsck("--fsck=full");
  EXPECT_EQ(mended.code, 1) << mended.out << mended.err;
  EXPECT_THAT(mended.out, HasSubstr("artifact 1 (out) of job " + job + " is lost"));
  EXPECT_THAT(mended.out, HasSubstr("it is to be sent again"));
  EXPECT_EQ(fsck("--fsck").code, 0);
  EXPECT_EQ(fsck("--fsck=some").code, 2);
  daemon->start();
  EXPECT_EQ(daemon->ingot({"get", job, "out"}).code, 3);
  EXPECT_NE(build(), "");
  EXPECT_EQ(slurp(daemon->project() / "out"), "base\nv1\n");
}

TEST_F(Upkeep, a_daemon_that_is_killed_in_a_build_leaves_nothing_to_mend) {
  begin();
  daemon->project_file("Earthfile", "VERSION 0.8\nFROM tiny\nall:\n    RUN echo 1 > /a\n    RUN sleep 60\n");
  const std::string job = daemon->ingot({"submit", "+all"}).out.substr(0, 10);
  EXPECT_TRUE(soon([&] { return daemon->ingot({"logs", job}).out.find("sleep 60") != std::string::npos; }));
  daemon->kill();
  auto checked = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--fsck=full"});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  daemon->start();
  daemon->ingot({"cancel", job});
  EXPECT_EQ(daemon->ingot({"wait", job}).code, 130);
}

}  // namespace
}  // namespace ingot::test
