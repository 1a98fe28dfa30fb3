#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::sys {

enum class CgroupLayout { v1, v2, hybrid };

// The host's cgroup hierarchies, whatever their layout: where a path such as /ingot/<step> lives in each.
class Cgroups {
 public:
  static Result<Cgroups> detect();
  static Result<Cgroups> parse(const std::string& mountinfo);  // the text of /proc/self/mountinfo

  CgroupLayout layout() const { return layout_; }
  const char* layout_name() const;
  // Controllers among memory, cpu, pids that a step's limits can use here.
  std::vector<std::string> controllers() const;

  // For a container's cgroup, which the runtime makes, by its absolute path in every hierarchy (/ingot/<step>): all no
  // errors when it is not there.
  std::uint64_t oom_kills(const std::string& path) const;    // with those of the cgroups below it
  std::uint64_t peak_memory(const std::string& path) const;  // bytes; 0: not known
  // SIGKILL to every process in it and below, and no new one can start. Returns once all are gone, after two seconds
  // at the latest.
  void kill_all(const std::string& path) const;
  Status remove(const std::string& path) const;  // with the empty cgroups below it

 private:
  struct Hierarchy {
    std::string mount_point;
    std::vector<std::string> controllers;
    bool unified = false;
  };
  // Where `path` is in each hierarchy; nothing for the root, which is not ours to kill or to remove.
  std::vector<std::filesystem::path> places(const std::string& path) const;

  CgroupLayout layout_ = CgroupLayout::v2;
  std::vector<Hierarchy> hierarchies_;
};

}  // namespace ingot::sys
