#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "daemon/base/strings.h"
#include "daemon/sys/cgroups.h"
#include "daemon/sys/files.h"
#include "daemon/sys/process.h"

namespace ingot::sys {
namespace {

using namespace std::chrono_literals;

// A cgroup of the test's own in every hierarchy of this host, with real processes in it.
class CgroupControl : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making cgroups needs root";
    const auto mounts = read_file("/proc/self/mountinfo").value();
    auto detected = Cgroups::parse(mounts);
    if (!detected) GTEST_SKIP() << detected.error().message;
    cgroups_.emplace(*detected);
    for (const auto& line : base::split(mounts, '\n')) {
      const auto fields = base::split(line, ' ');
      if (line.find(" - cgroup") == std::string::npos || fields.size() < 5) continue;
      if (fields.back().find("cpuset") != std::string::npos) continue;  // takes nobody before it has its CPUs
      const fs::path place = fields[4] + path_;
      if (mkdir(place.c_str(), 0755) == 0) places_.push_back(place);
    }
    if (places_.empty()) GTEST_SKIP() << "this environment lets nobody make a cgroup";
  }
  void TearDown() override {
    if (!cgroups_) return;
    cgroups_->kill_all(path_);
    EXPECT_TRUE(cgroups_->remove(path_));
    for (const auto& place : places_) EXPECT_FALSE(fs::exists(place));
  }

  // Whether some hierarchy took it.
  bool limit(const std::string& file, const std::string& value) const {
    bool taken = false;
    for (const auto& place : places_) {
      if (fs::exists(place / file)) taken = static_cast<bool>(std::ofstream(place / file) << value << std::flush);
    }
    return taken;
  }
  // Runs a script inside of the cgroup on a thread of its own, until it says that it is there.
  std::jthread start(const std::string& script) const {
    std::string enter;
    for (const auto& place : places_) enter += "echo $$ > " + (place / "cgroup.procs").string() + " || exit 99; ";
    Command command;
    command.argv = {"sh", "-c", enter + "echo ready; " + script};
    command.timeout = 20s;
    auto ready = std::make_shared<std::atomic<bool>>(false);
    std::jthread running([command, ready] {
      (void)system_processes().run(command, [&](Stream, std::string_view) { *ready = true; }, {});
      *ready = true;
    });
    while (!*ready) std::this_thread::sleep_for(1ms);
    return running;
  }
  std::size_t processes() const {  // those of the fullest hierarchy
    std::size_t most = 0;
    for (const auto& place : places_) {
      const auto text = read_file(place / "cgroup.procs");
      if (text) most = std::max(most, base::split(*text, '\n').size() - 1);
    }
    return most;
  }
  void wait_for(std::size_t count) const {
    for (int i = 0; i < 1000 && processes() < count; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_GE(processes(), count);
  }

  const std::string path_ = "/ingot-test-" + base::random_id(10);
  std::optional<Cgroups> cgroups_;
  std::vector<fs::path> places_;
};

TEST_F(CgroupControl, KillsWhatIgnoresSignalsAndHasLeftItsGroup) {
  auto running = start("trap '' TERM INT HUP; setsid sleep 30 & sleep 30 & sleep 30");
  wait_for(4);
  const auto started = std::chrono::steady_clock::now();
  cgroups_->kill_all(path_);
  EXPECT_EQ(processes(), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
  running.join();
  EXPECT_TRUE(cgroups_->remove(path_));
}

TEST_F(CgroupControl, KillsWhatIsBelow) {
  auto running = start("true");
  running.join();
  for (const auto& place : places_) fs::create_directory(place / "below");
  const auto own = places_;
  for (auto& place : places_) place /= "below";
  auto below = start("sleep 30");
  wait_for(1);
  cgroups_->kill_all(path_);
  EXPECT_EQ(processes(), 0U);
  below.join();
  places_ = own;
}

TEST_F(CgroupControl, AForkBombCannotOutrunIt) {
  if (!limit("pids.max", "150")) GTEST_SKIP() << "this host has no pids controller to hold the bomb";
  auto running = start("bomb() { sleep 30 & bomb & bomb; }; bomb 2>/dev/null");
  wait_for(40);
  cgroups_->kill_all(path_);
  EXPECT_EQ(processes(), 0U);
  running.join();
  for (const auto& place : places_) {
    const auto most = read_file(place / "pids.max");
    EXPECT_TRUE(!most || *most == "0\n") << "it could have forked on";
  }
}

TEST_F(CgroupControl, KillsWhatIsFrozen) {
  auto running = start("sleep 30");
  if (!limit("freezer.state", "FROZEN") && !limit("cgroup.freeze", "1")) {
    cgroups_->kill_all(path_);
    running.join();
    GTEST_SKIP() << "this host has no freezer";
  }
  cgroups_->kill_all(path_);
  EXPECT_EQ(processes(), 0U);
  running.join();
}

TEST_F(CgroupControl, CountsOomKillsAndPeak) {
  constexpr std::uint64_t kLimit = 32 << 20;
  const auto text = std::to_string(kLimit);
  if (!limit("memory.limit_in_bytes", text) && !limit("memory.max", text)) {
    GTEST_SKIP() << "this host has no memory controller";
  }
  limit("memory.swap.max", "0");
  EXPECT_EQ(cgroups_->oom_kills(path_), 0U);
  start("tail /dev/zero").join();
  EXPECT_GE(cgroups_->oom_kills(path_), 1U);
  const auto peak = cgroups_->peak_memory(path_);
  EXPECT_GT(peak, kLimit / 2);
  EXPECT_LE(peak, kLimit);
}

TEST_F(CgroupControl, RemovingABusyOneIsAnErrorThatNamesIt) {
  auto running = start("sleep 30");
  wait_for(1);
  auto removed = cgroups_->remove(path_);
  ASSERT_FALSE(removed);
  EXPECT_TRUE(removed.error().message.starts_with("cannot remove cgroup /")) << removed.error().message;
  EXPECT_TRUE(removed.error().message.ends_with(path_ + ": Device or resource busy")) << removed.error().message;
  cgroups_->kill_all(path_);
  running.join();
}

}  // namespace
}  // namespace ingot::sys
