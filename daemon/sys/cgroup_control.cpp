#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include "daemon/sys/cgroups.h"
#include "daemon/sys/files.h"

// What is done to a container's cgroup while it runs and when it has ended.
namespace ingot::sys {

namespace {

using Clock = std::chrono::steady_clock;

// The value of the line "name value".
std::uint64_t read_count(const fs::path& file, std::string_view name) {
  auto text = read_file(file);
  if (!text) return 0;
  std::istringstream lines(*text);
  std::string word;
  std::uint64_t value = 0;
  while (lines >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

std::uint64_t read_number(const fs::path& file) {
  auto text = read_file(file);
  if (!text) return 0;
  std::istringstream number(*text);
  std::uint64_t value = 0;
  return number >> value ? value : 0;
}

// A file that this layout does not have is no failure.
bool write_control(const fs::path& file, std::string_view text) {
  auto fd = open_file(file, O_WRONLY);
  return fd && write_all(fd->get(), text);
}

// Children first.
std::vector<fs::path> with_descendants(const fs::path& cgroup) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator entry(cgroup, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (entry->is_symlink(gone) || !entry->is_directory(gone)) continue;
    for (auto& below : with_descendants(entry->path())) found.push_back(std::move(below));
  }
  found.push_back(cgroup);
  return found;
}

// How many processes there were to kill. 0 stands for one of another pid namespace, which kill() would take for our
// own group.
int kill_once(const fs::path& cgroup) {
  int found = 0;
  for (const auto& group : with_descendants(cgroup)) {
    auto text = read_file(group / "cgroup.procs");
    if (!text) continue;
    std::istringstream numbers(*text);
    for (pid_t pid = 0; numbers >> pid;) {
      if (pid <= 1 || pid == getpid()) continue;
      kill(pid, SIGKILL);
      ++found;
    }
  }
  return found;
}

}  // namespace

std::uint64_t Cgroups::oom_kills(const std::string& path) const {
  std::uint64_t most = 0;
  for (const auto& cgroup : places(path)) {
    std::uint64_t below = 0;  // v2 counts those below as well, v1 does not
    for (const auto& group : with_descendants(cgroup)) below += read_count(group / "memory.oom_control", "oom_kill");
    most = std::max({most, below, read_count(cgroup / "memory.events", "oom_kill")});
  }
  return most;
}

std::uint64_t Cgroups::peak_memory(const std::string& path) const {
  std::uint64_t most = 0;
  for (const auto& cgroup : places(path)) {
    most = std::max({most, read_number(cgroup / "memory.peak"), read_number(cgroup / "memory.max_usage_in_bytes")});
  }
  return most;
}

void Cgroups::kill_all(const std::string& path) const {
  const auto cgroups = places(path);
  // No more forks: one that doubles itself would outrun the killing.
  for (const auto& cgroup : cgroups) write_control(cgroup / "pids.max", "0");
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  constexpr std::chrono::milliseconds kLongest(16);
  for (std::chrono::milliseconds pause(1); Clock::now() < deadline; pause = std::min(pause * 2, kLongest)) {
    int found = 0;
    for (const auto& cgroup : cgroups) {
      write_control(cgroup / "cgroup.kill", "1");
      found += kill_once(cgroup);
      // A frozen process of v1 dies when it thaws.
      for (const auto& group : with_descendants(cgroup)) write_control(group / "freezer.state", "THAWED");
    }
    if (found == 0) return;
    std::this_thread::sleep_for(pause);
  }
}

Status Cgroups::remove(const std::string& path) const {
  const auto deadline = Clock::now() + std::chrono::seconds(1);
  for (const auto& cgroup : places(path)) {
    for (const auto& group : with_descendants(cgroup)) {
      while (rmdir(group.c_str()) != 0 && errno != ENOENT) {
        const int reason = errno;  // EBUSY: a killed process stays in its cgroup until it has quite ended
        if (reason != EBUSY || Clock::now() >= deadline) {
          return base::fail_errno(reason, "cannot remove cgroup " + group.string());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
  }
  return {};
}

}  // namespace ingot::sys
