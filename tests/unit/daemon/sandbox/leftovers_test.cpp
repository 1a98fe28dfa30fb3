#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "tests/unit/daemon/sandbox/real_sandbox.h"

namespace ingot::sandbox {
namespace {

class Leftovers : public RealSandbox {
 protected:
  // Processes of our steps that are alive.
  std::size_t alive() const {
    std::size_t found = 0;
    for (const auto& parent : base::split(cgroups(), '\n')) {
      std::error_code ignored;
      if (parent.empty()) continue;
      for (const auto& entry : fs::directory_iterator(parent, ignored)) {
        if (!entry.is_directory(ignored)) continue;
        const auto processes = test::slurp(entry.path() / "cgroup.procs");
        found += static_cast<std::size_t>(std::count(processes.begin(), processes.end(), '\n'));
      }
    }
    return found;
  }

  // Another process that runs a step and is killed in the midst of it, as a daemon may be.
  void run_and_die(const std::string& script, Network network) {
    sandbox_.reset();
    const auto spec = [&] {
      auto step = this->step(script);
      step.network = network;
      return step;
    }();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto doomed = Sandbox::create(settings(), sys::system_processes());
      if (doomed) {
        (void)(*doomed)->run(spec, [](sys::Stream, std::string_view) { raise(SIGKILL); }, {});
      }
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the step never said a word";
  }
};

TEST_F(Leftovers, of_a_killed_daemon_are_gone_at_the_next_start) {
  run_and_die("trap '' TERM HUP INT; setsid sleep 300 & echo up; while true; do sleep 1; done", Network::egress);
  EXPECT_GT(alive(), 0U) << "otherwise this test shows nothing";
  directory_.file("snapshots/doctor-abc/upper/x", "");
  directory_.file("run/probe-abc/config.json", "{}");
  start();
  EXPECT_EQ(run("echo next").out, "next\n");
  EXPECT_EQ(alive(), 0U);
  EXPECT_EQ(leftovers(), "");
  EXPECT_FALSE(fs::exists(directory_ / "snapshots/doctor-abc"));
}

TEST_F(Leftovers, an_instance_name_must_fit_an_interface) {
  for (const char* name : {"", "0123456789", "UPPER", "a b", "../x"}) {
    auto wrong = settings();
    wrong.instance = name;
    auto made = Sandbox::create(wrong, sys::system_processes());
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().message, "\"" + std::string(name) + "\" cannot name a daemon's network interfaces");
  }
}

TEST_F(Leftovers, create_does_not_wait_for_its_preparations) {
  // The best of several: a busy machine may stop any one of them for longer.
  std::chrono::steady_clock::duration best = std::chrono::hours(1);
  for (int i = 0; i < 20; ++i) {
    sandbox_.reset();
    const auto started = std::chrono::steady_clock::now();
    auto made = Sandbox::create(settings(), sys::system_processes());
    best = std::min(best, std::chrono::steady_clock::now() - started);
    ASSERT_TRUE(made);
    sandbox_ = std::move(*made);
  }
  EXPECT_LT(best, std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace ingot::sandbox
