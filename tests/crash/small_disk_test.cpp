#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "daemon/sys/files.h"
#include "proto/error.h"
#include "tests/support/test_daemon.h"

// A real daemon on a disk of its own that is full, more or less: whatever step it is that finds no room, who waits
// hears of it, the daemon lives, and once there is room the same build succeeds.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::HasSubstr;

class SmallDisk : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    if (!mount_disk()) GTEST_SKIP() << "this host mounts no " << GetParam() << " for a test";
    daemon = std::make_unique<TestDaemon>(
        std::vector<std::string>{"--retention-contexts", "1s", "--retention-max-jobs", "2", "--cache-max-size", "30M"},
        disk() / "state");
  }
  void TearDown() override {
    if (daemon) {
      daemon->stop();
      EXPECT_EQ(daemon->leftovers(), "");
      daemon.reset();
    }
    if (mounted) {
      EXPECT_EQ(umount2(disk().c_str(), 0), 0);
    }
  }

  std::filesystem::path disk() const { return directory / "disk"; }
  bool mount_disk() {
    std::filesystem::create_directories(disk());
    if (GetParam() == std::string("tmpfs")) {
      mounted = mount("tmpfs", disk().c_str(), "tmpfs", 0, "size=96m") == 0;
      return mounted;
    }
    const auto image = directory.file("image", "");
    std::filesystem::resize_file(image, 128U << 20U);
    mounted = run_program({"mkfs.ext4", "-q", "-F", "-m", "0", image}).code == 0 &&
              run_program({"mount", "-o", "loop", image, disk()}).code == 0;
    return mounted;
  }
  std::uint64_t free_bytes() const { return *sys::free_space(disk()); }
  // Until so many bytes are left. ext4 gives back what was removed a moment later.
  void fill_but(std::uint64_t bytes) {
    for (int i = 0; i < 100 && !std::filesystem::is_empty(daemon->state() / "snapshots/trash"); ++i) usleep(50'000);
    sync();
    const auto fd = sys::open_file(disk() / "filler", O_WRONLY | O_CREAT);
    ASSERT_TRUE(fd);
    off_t size = 0;
    for (std::uint64_t step = 64U << 20U; step >= 4096; step /= 2) {
      while (free_bytes() >= bytes + step && fallocate(fd->get(), 0, size, static_cast<off_t>(step)) == 0) {
        size += static_cast<off_t>(step);
      }
    }
  }
  void make_room() {
    std::filesystem::remove(disk() / "filler");
    sync();
  }
  // A project that nobody has seen: the daemon does not know how much it will write.
  void new_project(std::size_t source_size) {
    const unsigned number = random();
    daemon->project_file("source", std::to_string(number) + std::string(source_size, 'x'));
    daemon->project_file("Earthfile", fmt::format(R"(VERSION 0.8
FROM tiny
all:
    COPY source /source
    RUN head -c 1500000 /dev/urandom > /a && echo {0}
    RUN head -c 1500000 /dev/urandom > /b && echo {0}
    SAVE ARTIFACT /a
    SAVE IMAGE full:1
)",
                                                  number));
  }
  RunResult build() { return daemon->ingot({"build", "--no-cache", "+all"}); }
  bool lives() { return daemon->ingot({"ps", "--json"}).code == 0; }
  // The job with the name of the project's last source.
  std::string state_of_last_job() {
    const auto listed = daemon->ingot({"ps", "--all", "--json"});
    if (listed.code != 0) return listed.err;
    const json jobs = json::parse(listed.out)["jobs"];
    return jobs.empty() ? "" : jobs[0].value("state", "");
  }
  void sweep() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    const auto swept = daemon->ingot({"cache", "prune", "--keep", "100G"});
    EXPECT_EQ(swept.code, 0) << swept.err;
  }

  std::mt19937 random{std::random_device{}()};
  TempDirectory directory;
  bool mounted = false;
  std::unique_ptr<TestDaemon> daemon;
};

// Twelve layers of 8 MB on a disk of 96 or 128, of which the daemon may use 30: what waits is built when others are
// done.
TEST_P(SmallDisk, has_no_room_for_a_sweep_at_once_and_all_its_cells_are_green_in_the_end) {
  daemon->project_file("Earthfile", R"(VERSION 0.8
FROM tiny
cell:
    ARG --required V
    RUN head -c 8000000 /dev/urandom >/a && echo $V >/v
    SAVE ARTIFACT /v
)");
  daemon->project_file("sweep.yaml", "targets: [+cell]\naxes: {V: [a, b, c, d, e, f, g, h, i, j, k, l]}\n");
  const auto ran = daemon->ingot({"sweep", "run", "--wait"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err << daemon->log() << run_program({"df", disk()}).out;
  EXPECT_THAT(ran.out, HasSubstr("12 green"));
}

TEST_P(SmallDisk, that_is_full_is_said_to_be_and_does_no_harm) {
  new_project(1000);
  ASSERT_EQ(build().code, 0);
  int refused = 0;
  // From nothing at all to nearly enough: submission, upload, step, layer, artifact, image find no room, in this order.
  for (const std::uint64_t left : {0, 16, 200, 420, 500, 800, 1400, 2000, 2600, 3200, 3600, 4200, 5000, 5800, 6600}) {
    SCOPED_TRACE(fmt::format("{} KiB are left", left));
    new_project(400'000);
    ASSERT_NO_FATAL_FAILURE(fill_but(left << 10U));
    const auto built = build();
    EXPECT_TRUE(lives()) << daemon->log();
    if (built.code != 0) {
      ++refused;
      EXPECT_THAT(built.err + built.out, AnyOf(HasSubstr("No space left on device"), HasSubstr("disk is full"),
                                               HasSubstr("the disk has hardly any room")));
      EXPECT_THAT(built.err + built.out, HasSubstr("free some space")) << built.err << built.out;
    }
    make_room();
    for (int i = 0; i < 50 && state_of_last_job() == "running"; ++i) usleep(100'000);
    EXPECT_THAT(state_of_last_job(), AnyOf("succeeded", "failed"));
    const auto again = build();
    EXPECT_EQ(again.code, 0) << again.err << daemon->log() << run_program({"du", "-a", disk()}).out
                             << run_program({"df", disk()}).out;
    if (HasFailure()) break;
  }
  EXPECT_GT(refused, 2);
  sweep();
  daemon->stop();
  const auto checked = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--fsck=full"});
  EXPECT_EQ(checked.code, 0) << checked.out;
}

TEST_P(SmallDisk, that_fills_while_jobs_run_keeps_what_became_of_them) {
  new_project(1000);
  ASSERT_EQ(build().code, 0);
  daemon->project_file("Earthfile", "VERSION 0.8\nFROM tiny\nall:\n    RUN echo begun; sleep 3; echo over\n");
  std::vector<std::string> jobs;
  for (int i = 0; i < 2; ++i) {
    const auto submitted = daemon->ingot({"submit", "--no-cache", "+all"});
    ASSERT_EQ(submitted.code, 0) << submitted.err;
    jobs.push_back(submitted.out.substr(0, submitted.out.find('\n')));
  }
  for (int i = 0; i < 100 && daemon->ingot({"logs", jobs[0]}).out.find("| begun") == std::string::npos; ++i) {
    usleep(20'000);
  }
  ASSERT_NO_FATAL_FAILURE(fill_but(0));
  // What the database needs for that is set aside.
  for (const auto& job : jobs) {
    const auto waited = run_program({"timeout", "20", binary("ingot"), "wait", job}, daemon->project(),
                                    {{"INGOT_SOCKET", daemon->socket().string()}});
    EXPECT_THAT(waited.code, AnyOf(0, proto::info(ErrorKind::no_space).exit_code)) << waited.err << daemon->log();
  }
  const auto pruned = daemon->ingot({"cache", "prune"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_TRUE(lives()) << daemon->log();
  make_room();
  for (const auto& job : jobs) {
    const auto waited = daemon->ingot({"wait", job});
    EXPECT_THAT(waited.code, AnyOf(0, proto::info(ErrorKind::no_space).exit_code)) << waited.err << daemon->log();
    const auto logs = daemon->ingot({"logs", job});
    EXPECT_EQ(logs.code, 0) << logs.err;
  }
  sweep();
  daemon->stop();
  const auto checked = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--fsck=full"});
  EXPECT_EQ(checked.code, 0) << checked.out;
}

INSTANTIATE_TEST_SUITE_P(Disks, SmallDisk, testing::Values("tmpfs", "ext4"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace ingot::test
