#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/registry.h"
#include "tests/support/running_client.h"
#include "tests/support/test_daemon.h"

// A sweep ends complete, however often its daemon is killed, and what was done is not done again.
namespace ingot::test {
namespace {

using nlohmann::json;

constexpr int kCells = 14;
constexpr int kKills = 10;

class SweepIsKilled : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace(std::vector<std::string>{"--jobs-parallel", "2", "--images",
                                            "[{match: tiny, source: oci-layout, path: '" + registry.layout().string() +
                                                "'}, {match: '*', source: registry, insecure: true}]"});
    daemon->project_file(
        "Earthfile",
        "VERSION 0.8\ncommon:\n    FROM tiny\n    RUN echo base >/base\ncell:\n    FROM +common\n    ARG --required V\n"
        "    RUN sleep 0.2; echo $V >/v\n    SAVE IMAGE --push " +
            registry.host() + "/x:$V\n");
    std::string axis;
    for (int i = 1; i <= kCells; ++i) axis += (i == 1 ? "v" : ", v") + std::to_string(i);
    daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [" + axis + "]}\npush: true\n" + more);
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  json show(const std::string& id) { return json::parse(daemon->ingot({"sweep", "show", "--json", id}).out); }
  json succeeded(const std::string& id) {
    json done = json::object();
    for (const auto& cell : show(id)["cells"]) {
      if (cell["state"] == "succeeded") done[cell["name"].get<std::string>()] = cell;
    }
    return done;
  }
  std::size_t pushes_of(const std::string& tag) const {
    const std::string line = "PUT /v2/x/manifests/" + tag;
    const std::string log = registry.log();
    std::size_t count = 0;
    for (std::size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) {
      const char next = log[std::min(log.size() - 1, at + line.size())];
      if (next < '0' || next > '9') ++count;
    }
    return count;
  }
  void run_and_kill();

  std::string more;
  Registry registry{RegistrySetup{}};
  std::optional<TestDaemon> daemon;
};

class WholeSweepIsKilled : public SweepIsKilled {
 protected:
  WholeSweepIsKilled() { more = "publish: all-or-nothing\n"; }
};

void SweepIsKilled::run_and_kill() {
  const auto submitted = daemon->ingot({"sweep", "run"});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  const std::string id = submitted.out.substr(0, submitted.out.size() - 1);
  json done = json::object();
  for (int i = 0; i < kKills; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + 40 * i));
    done.update(succeeded(id));
    daemon->kill();
    daemon->start();
  }
  const auto waited = daemon->ingot({"sweep", "wait", id});
  EXPECT_EQ(waited.code, 0) << waited.out << waited.err;
  const json sweep = show(id);
  EXPECT_EQ(sweep["counts"]["succeeded"], kCells);
  for (const auto& cell : sweep["cells"]) {
    const std::string name = cell["name"];
    if (done.contains(name)) {
      EXPECT_EQ(done[name], cell) << "it had succeeded before a kill, and was touched again";
    }
    EXPECT_EQ(pushes_of(name), 1U) << name;
    EXPECT_NE(registry.inspect("x:" + name), "");
  }
  const auto jobs = json::parse(daemon->ingot({"ps", "--all", "--json"}).out)["jobs"];
  EXPECT_EQ(jobs.size(), kCells);
}

TEST_F(SweepIsKilled, ten_times_and_is_complete_with_nothing_built_or_pushed_twice) {
  run_and_kill();
}

TEST_F(WholeSweepIsKilled, ten_times_and_is_complete_with_nothing_built_or_pushed_twice) {
  run_and_kill();
}

}  // namespace
}  // namespace ingot::test
