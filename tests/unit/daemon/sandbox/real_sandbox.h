#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

#include "daemon/base/strings.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/sys/find_program.h"
#include "daemon/sys/mounts.h"
#include "tests/support/temp.h"

namespace ingot::sandbox {

// Paths below `directory`, sorted, one a line.
inline std::string listing(const fs::path& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    paths.push_back(entry.path().lexically_relative(directory).string());
  }
  std::sort(paths.begin(), paths.end());
  return base::join(paths, "\n");
}

inline std::string run_here(std::vector<std::string> argv) {
  sys::Command command;
  command.argv = std::move(argv);
  auto captured = sys::capture(sys::system_processes(), command);
  return captured ? captured->out + captured->err : proto::render(captured.error());
}

struct Ran {
  StepOutcome outcome;
  std::string out;
  std::string err;
  fs::path upper;
};

// Real containers with a busybox root. Each test has directories, cgroups and networks of its own, and fails when any
// of that is left after it.
class RealSandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    if (access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "busybox-static is not installed";
    if (!sys::find_program("runc") && !sys::find_program("crun")) GTEST_SKIP() << "no OCI runtime is installed";
    static const bool is_private = sys::enter_private_mount_namespace().has_value();
    ASSERT_TRUE(is_private);
    make_base_layer();
    start();
  }

  void TearDown() override {
    if (!sandbox_) return;
    sandbox_->checks();  // returns once nothing is prepared any more
    EXPECT_EQ(leftovers(), "");
    sandbox_.reset();
    EXPECT_EQ(run_here({"nft", "list", "tables"}).find(instance_), std::string::npos);
    EXPECT_EQ(cgroups(), "");
    EXPECT_EQ(mounts(), "");
  }

  Settings settings() const {
    Settings settings;
    settings.run_directory = directory_ / "run";
    settings.snapshot_directory = directory_ / "snapshots";
    settings.runtime = "auto";
    settings.instance = instance_;
    return settings;
  }

  void start() {
    sandbox_.reset();
    auto made = Sandbox::create(settings(), sys::system_processes());
    ASSERT_TRUE(made) << proto::render(made.error());
    sandbox_ = std::move(*made);
  }

  // A step of `sh` without a network on a layer of its own. Many threads at once.
  StepSpec step(const std::string& script) {
    const fs::path layer = directory_ / ("snapshots/step-" + base::random_id(8));
    StepSpec step;
    step.name = "test";
    step.layers = {base_layer()};
    step.upper = layer / "upper";
    step.work = layer / "work";
    fs::create_directories(step.upper);
    fs::create_directories(step.work);
    step.argv = {"/bin/sh", "-c", script};
    step.env = {{"PATH", "/bin"}};
    step.network = Network::none;
    return step;
  }

  Result<Ran> try_run(const StepSpec& step, const sys::CancelToken& cancel = {}) {
    Ran ran;
    ran.upper = step.upper;
    auto sink = [&](sys::Stream stream, std::string_view bytes) {
      (stream == sys::Stream::out ? ran.out : ran.err) += bytes;
    };
    INGOT_TRY(ran.outcome, sandbox_->run(step, sink, cancel));
    return ran;
  }

  Ran run(const StepSpec& step) {
    auto ran = try_run(step);
    if (ran) return *ran;
    ADD_FAILURE() << proto::render(ran.error());
    return {};
  }
  Ran run(const std::string& script) { return run(step(script)); }

  // Directories of our cgroup, in every hierarchy, one a line.
  std::string cgroups() const {
    std::string found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
      const fs::path ours = entry.path() / ("ingot-" + instance_);
      if (entry.path().filename() == "ingot-" + instance_) found += entry.path().string() + "\n";
      if (fs::exists(ours, ignored)) found += ours.string() + "\n";
    }
    return found;
  }

  // What there is of our steps but should not be, one line each.
  std::string leftovers() const {
    std::string found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory_ / "run")) found += entry.path().string() + "\n";
    for (const auto& parent : base::split(cgroups(), '\n')) {
      if (parent.empty()) continue;
      for (const auto& entry : fs::directory_iterator(parent, ignored)) {
        if (entry.is_directory(ignored)) found += entry.path().string() + "\n";
      }
    }
    // All but the file system in memory, which is the sandbox's own.
    for (const auto& line : base::split(mounts(), '\n')) {
      if (!line.empty() && !line.starts_with("ingot " + (directory_ / "run").string() + " ")) found += line + "\n";
    }
    return found;
  }

  // Mounts below our directory, one a line.
  std::string mounts() const {
    std::string found;
    for (const auto& line : base::split(test::slurp("/proc/self/mounts"), '\n')) {
      if (line.find(directory_.path().string()) != std::string::npos) found += line + "\n";
    }
    return found;
  }

  fs::path base_layer() const { return directory_ / "snapshots/base"; }

  test::TempDirectory directory_;
  std::string instance_ = base::random_id(8);
  std::unique_ptr<Sandbox> sandbox_;

 private:
  void make_base_layer() const {
    const fs::path bin = base_layer() / "bin";
    fs::create_directories(bin);
    fs::create_directories(base_layer() / "tmp");
    fs::create_directories(directory_ / "run");
    fs::permissions(base_layer() / "tmp", static_cast<fs::perms>(01777));
    fs::copy_file("/bin/busybox", bin / "busybox");
    for (const char* name : {"sh",     "true", "false",    "cat",    "echo",   "env",  "pwd",   "id",    "ls",
                             "sleep",  "dd",   "mkdir",    "touch",  "chmod",  "rm",   "mknod", "mount", "unshare",
                             "chroot", "ln",   "hostname", "ulimit", "nc",     "wget", "kill",  "stat",  "grep",
                             "tail",   "head", "chown",    "setsid", "mkfifo", "date", "ip",    "wc",    "cut"}) {
      fs::create_symlink("busybox", bin / name);
    }
    directory_.file("snapshots/base/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n");
    directory_.file("snapshots/base/etc/group", "root:x:0:\napp:x:1001:\nextra:x:2000:app\n");
  }
};

}  // namespace ingot::sandbox
