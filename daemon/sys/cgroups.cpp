#include "daemon/sys/cgroups.h"

#include <algorithm>
#include <array>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

// The kernel writes space, tab, newline and backslash in a path as \040 and the like.
std::string unescaped(const std::string& text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      path += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

// Of a v1 mount's options: the rest are flags, such as rw, xattr and name=systemd.
bool is_controller(const std::string& option) {
  constexpr std::array<const char*, 13> kControllers = {"memory", "cpu",        "pids",    "cpuacct", "cpuset",
                                                        "blkio",  "devices",    "freezer", "net_cls", "net_prio",
                                                        "rdma",   "perf_event", "hugetlb"};
  return std::find(kControllers.begin(), kControllers.end(), option) != kControllers.end();
}

}  // namespace

Result<Cgroups> Cgroups::detect() {
  INGOT_TRY(auto text, read_file("/proc/self/mountinfo"));
  return parse(text);
}

Result<Cgroups> Cgroups::parse(const std::string& mountinfo) {
  Cgroups found;
  std::set<std::string> devices;
  bool has_v1 = false;
  bool has_v2 = false;
  for (const auto& line : base::split(mountinfo, '\n')) {
    // 31 23 0:27 /root /mount/point rw,... optional fields - fstype source superblock,options
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    const auto before = base::split(line.substr(0, separator), ' ');
    const auto after = base::split(line.substr(separator + 3), ' ');
    constexpr std::size_t kDevice = 2;
    constexpr std::size_t kMountPoint = 4;
    if (before.size() <= kMountPoint || after.size() < 3) continue;
    // The same hierarchy may be mounted at several places, and cpu at a second name beside cpu,cpuacct.
    if (!devices.insert(before[kDevice]).second) continue;
    if (after[0] == "cgroup2") {
      has_v2 = true;
      found.hierarchies_.push_back({unescaped(before[kMountPoint]), {}, true});
    } else if (after[0] == "cgroup") {
      auto controllers = base::split(after[2], ',');
      std::erase_if(controllers, [](const auto& option) { return !is_controller(option); });
      // A named hierarchy without controllers (systemd's own) says nothing about the layout, but runtimes use it.
      has_v1 = has_v1 || !controllers.empty();
      found.hierarchies_.push_back({unescaped(before[kMountPoint]), std::move(controllers), false});
    }
  }
  if (!has_v1 && !has_v2) {
    return base::fail(ErrorKind::unsupported, "no cgroup file system is mounted", "mount cgroup2 at /sys/fs/cgroup");
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
  for (const char* wanted : {"memory", "cpu", "pids"}) {
    const bool there = std::any_of(hierarchies_.begin(), hierarchies_.end(), [&](const Hierarchy& hierarchy) {
      auto names = hierarchy.controllers;
      if (hierarchy.unified) {
        const auto text = read_file(fs::path(hierarchy.mount_point) / "cgroup.controllers");
        names = base::split(text ? base::trim(*text) : std::string_view(), ' ');
      }
      return std::find(names.begin(), names.end(), wanted) != names.end();
    });
    if (there) usable.emplace_back(wanted);
  }
  return usable;
}

std::vector<fs::path> Cgroups::places(const std::string& path) const {
  const fs::path below = fs::path("/" + path).lexically_normal().relative_path();
  std::vector<fs::path> found;
  if (below.empty() || below == ".") return found;
  for (const auto& hierarchy : hierarchies_) {
    const fs::path place = fs::path(hierarchy.mount_point) / below;
    std::error_code error;
    if (fs::is_directory(place, error)) found.push_back(place);
  }
  return found;
}

}  // namespace ingot::sys
