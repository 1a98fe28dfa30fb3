#include "daemon/sandbox/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/sys/mounts.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::sandbox {
namespace {

using testing::ElementsAre;

bool may_mount() {
  if (geteuid() != 0) return false;
  static const bool is_private = sys::enter_private_mount_namespace().has_value();
  return is_private;
}

// Runtimes by name: whether a container runs, and what `run --help` prints.
struct Known {
  std::string name;
  bool works;
  std::string help;
};

test::FakeProcesses host_with(std::vector<Known> known) {
  return test::FakeProcesses(
      [known = std::move(known)](const sys::Command& command, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
        const auto& argv = command.argv;
        const auto found =
            std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.name == argv[0]; });
        if (found == known.end()) return base::fail(ErrorKind::unsupported, argv[0] + " is not installed");
        sys::ExitStatus status;
        if (argv.back() == "--help") {
          sink(sys::Stream::out, found->help);
        } else if (!found->works) {
          sink(sys::Stream::err, "warning\ncannot do hybrid cgroups\n\n");
          status.code = 1;
        }
        return status;
      });
}

class RuntimeProbe : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!may_mount()) GTEST_SKIP() << "the trial container's root is a mount, which needs root";
  }
  Runtime probe(const std::string& wanted, sys::ProcessRunner& processes) {
    return probe_runtime(wanted, directory_.path(), "/ingot-x", processes, {});
  }
  test::TempDirectory directory_;
};

TEST_F(RuntimeProbe, takes_the_first_that_runs_a_container) {
  auto processes = host_with({{"runc", true, "--keep  do not delete"}, {"crun", true, ""}});
  auto runtime = probe("auto", processes);
  EXPECT_EQ(runtime.program, "runc");
  EXPECT_TRUE(runtime.keeps);
  EXPECT_THAT(runtime.reasons, ElementsAre("runc: runs containers here"));
}

TEST_F(RuntimeProbe, tries_the_next_when_one_fails) {
  auto processes = host_with({{"runc", false, ""}, {"crun", true, "--other"}});
  auto runtime = probe("auto", processes);
  EXPECT_EQ(runtime.program, "crun");
  EXPECT_FALSE(runtime.keeps);
  EXPECT_THAT(runtime.reasons, ElementsAre("runc: a trial container ended with status 1: cannot do hybrid cgroups",
                                           "crun: runs containers here"));
}

TEST_F(RuntimeProbe, says_why_each_does_not_work) {
  auto processes = host_with({{"crun", false, ""}});
  auto runtime = probe("auto", processes);
  EXPECT_EQ(runtime.program, "");
  EXPECT_THAT(runtime.reasons, ElementsAre("runc: runc is not installed",
                                           "crun: a trial container ended with status 1: cannot do hybrid cgroups"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(RuntimeProbe, a_named_one_is_the_only_one_tried) {
  auto processes = host_with({{"/opt/runc", false, ""}, {"runc", true, ""}});
  EXPECT_EQ(probe("/opt/runc", processes).program, "");
  ASSERT_EQ(processes.commands().size(), 1U);
  EXPECT_EQ(processes.commands()[0].argv[0], "/opt/runc");
}

TEST(RuntimeLog, the_last_error_is_the_complaint) {
  test::TempDirectory directory;
  const auto log = directory.file("log",
                                  "{\"level\":\"warning\",\"msg\":\"old\"}\n{\"level\":\"error\",\"msg\":\"first\"}\n"
                                  "no json\n[]\n{\"level\":\"error\",\"msg\":\"last\"}\n{\"level\":3,\"msg\":4}\n");
  EXPECT_EQ(runtime_complaint(log), "last");
  EXPECT_EQ(runtime_complaint(directory / "none"), "");
}

TEST(RuntimeLog, the_steps_fault_or_the_hosts) {
  StepSpec step;
  step.argv = {"/bin/sh", "-c", "true"};
  const Error missing = startup_error("exec: \"/bin/sh\": stat /bin/sh: no such file or directory", step);
  EXPECT_EQ(missing.kind, ErrorKind::step_failed);
  EXPECT_EQ(missing.message,
            "the step could not be started: exec: \"/bin/sh\": stat /bin/sh: no such file or directory");
  EXPECT_EQ(missing.hint, "check that the image has /bin/sh, for this machine's architecture");
  const Error host = startup_error("unable to apply cgroup configuration: no space left on device", step);
  EXPECT_EQ(host.kind, ErrorKind::unavailable);
  EXPECT_EQ(host.hint, "`ingot doctor` says whether this host can run containers");
}

}  // namespace
}  // namespace ingot::sandbox
