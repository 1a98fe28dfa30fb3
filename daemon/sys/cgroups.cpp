#include "daemon/sys/cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

using base::fail;

// The value of "name value" in a cgroup's statistics file; or of the whole file when `name` is empty.
std::uint64_t read_count(const fs::path& file, std::string_view name) {
  auto text = read_file(file);
  if (!text) return 0;
  std::istringstream lines(*text);
  std::string word;
  if (name.empty()) {
    std::uint64_t value = 0;
    return lines >> value ? value : 0;
  }
  std::uint64_t value = 0;
  while (lines >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

std::vector<pid_t> processes_in(const fs::path& cgroup) {
  std::vector<pid_t> pids;
  if (auto text = read_file(cgroup / "cgroup.procs")) {
    std::istringstream numbers(*text);
    pid_t pid = 0;
    while (numbers >> pid) pids.push_back(pid);
  }
  return pids;
}

std::vector<fs::path> with_descendants(const fs::path& cgroup) {
  std::vector<fs::path> found;
  std::error_code error;
  if (!fs::is_directory(cgroup, error)) return found;
  for (const auto& entry : fs::directory_iterator(cgroup, error)) {
    std::error_code ignored;
    if (!entry.is_directory(ignored) || entry.is_symlink(ignored)) continue;
    for (auto& below : with_descendants(entry.path())) found.push_back(std::move(below));
  }
  found.push_back(cgroup);  // children first
  return found;
}

}  // namespace

Result<Cgroups> Cgroups::detect() {
  INGOT_TRY(auto text, read_file("/proc/self/mountinfo"));
  return parse(text);
}

Result<Cgroups> Cgroups::parse(const std::string& mountinfo) {
  Cgroups found;
  bool has_v1 = false;
  bool has_v2 = false;
  for (const auto& line : base::split(mountinfo, '\n')) {
    // 31 23 0:27 /root /mount/point rw,... optional - fstype source superblock,options
    std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    auto before = base::split(line.substr(0, separator), ' ');
    auto after = base::split(line.substr(separator + 3), ' ');
    if (before.size() < 5 || after.size() < 3) continue;
    if (after[0] == "cgroup2") {
      has_v2 = true;
      found.hierarchies_.push_back({before[4], {}, true});
    } else if (after[0] == "cgroup") {
      auto options = base::split(after[2], ',');
      std::erase_if(options, [](const auto& option) { return option == "rw" || option.starts_with("name="); });
      has_v1 = has_v1 || !options.empty();
      found.hierarchies_.push_back({before[4], options, false});
    }
  }
  if (found.hierarchies_.empty()) {
    return fail(ErrorKind::unsupported, "no cgroup file system is mounted", "mount cgroup2 at /sys/fs/cgroup");
  }
  found.layout_ = has_v1 && has_v2 ? CgroupLayout::hybrid : has_v1 ? CgroupLayout::v1 : CgroupLayout::v2;
  return found;
}

const char* Cgroups::layout_name() const {
  switch (layout_) {
    case CgroupLayout::v1:
      return "v1";
    case CgroupLayout::v2:
      return "v2";
    case CgroupLayout::hybrid:
      return "hybrid";
  }
  return "v2";
}

std::vector<std::string> Cgroups::controllers() const {
  std::vector<std::string> usable;
  for (const auto& hierarchy : hierarchies_) {
    auto names = hierarchy.controllers;
    if (hierarchy.unified) {
      auto text = read_file(fs::path(hierarchy.mount_point) / "cgroup.controllers");
      names = base::split(text ? std::string(base::trim(*text)) : "", ' ');
    }
    for (const char* wanted : {"memory", "cpu", "pids"}) {
      if (std::find(names.begin(), names.end(), wanted) != names.end()) usable.emplace_back(wanted);
    }
  }
  return usable;
}

std::uint64_t Cgroups::oom_kills(const std::string& path) const {
  std::uint64_t most = 0;
  for (const auto& hierarchy : hierarchies_) {
    const fs::path cgroup = hierarchy.mount_point + path;
    most = std::max({most, read_count(cgroup / "memory.events", "oom_kill"),
                     read_count(cgroup / "memory.oom_control", "oom_kill")});
  }
  return most;
}

std::uint64_t Cgroups::peak_memory(const std::string& path) const {
  std::uint64_t most = 0;
  for (const auto& hierarchy : hierarchies_) {
    const fs::path cgroup = hierarchy.mount_point + path;
    most =
        std::max({most, read_count(cgroup / "memory.peak", ""), read_count(cgroup / "memory.max_usage_in_bytes", "")});
  }
  return most;
}

void Cgroups::kill_all(const std::string& path) const {
  constexpr int kRounds = 200;  // a fork bomb can outrun a few rounds, and its pids limit stops it
  for (const auto& hierarchy : hierarchies_) {
    const fs::path cgroup = hierarchy.mount_point + path;
    if (auto kill_file = open_file(cgroup / "cgroup.kill", O_WRONLY)) {
      (void)write_all(kill_file->get(), "1");
    }
    for (int round = 0; round < kRounds; ++round) {
      bool any = false;
      for (const auto& group : with_descendants(cgroup)) {
        for (pid_t pid : processes_in(group)) {
          any = true;
          kill(pid, SIGKILL);
        }
      }
      if (!any) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

Status Cgroups::remove(const std::string& path) const {
  constexpr int kTries = 100;  // a killed process stays in its cgroup until it is reaped
  for (const auto& hierarchy : hierarchies_) {
    for (const auto& group : with_descendants(hierarchy.mount_point + path)) {
      int tries = 0;
      while (rmdir(group.c_str()) != 0 && errno != ENOENT) {
        if (errno != EBUSY || ++tries == kTries)
          return base::fail_errno(errno, "cannot remove cgroup " + group.string());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
  }
  return {};
}

}  // namespace ingot::sys
