#include "daemon/app/host_checks.h"

#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/sys/binfmt.h"
#include "daemon/sys/files.h"
#include "daemon/sys/in_memory.h"

namespace ingot::app {

namespace {

struct Tool {
  const char* program;
  bool required;
  const char* use;
  const char* package;
};

constexpr Tool kTools[] = {
    {"unshare", true, "keeps bootstraps together", "util-linux"},
    {"mmdebstrap", false, "makes Debian and Ubuntu images from a package mirror", "mmdebstrap"},
    {"git", false, "fetches other repositories that recipes name", "git"},
    {"ssh", false, "takes git to repositories that are named by ssh", "openssh-client"},
    {"skopeo", false, "fetches images from registries and archives", "skopeo"},
};

proto::HostCheck platforms_check() {
  const auto platforms = sys::Binfmt().foreign_platforms();
  return {"platforms", true, false,
          platforms.empty()
              ? "steps run for " + base::native_platform().text() + " only; qemu-user-static would bring others"
              : "steps run for " + base::native_platform().text() + ", " + base::join(platforms, ", "),
          ""};
}

}  // namespace

proto::HostCheck secrets_check(const std::filesystem::path& directory) {
  const bool ok = sys::is_in_memory(directory);
  return {"secrets", ok, false, directory.string() + (ok ? " is in memory" : " is not in memory: no job can have any"),
          ok ? "" : "set secrets.directory in the daemon's configuration to a directory on a tmpfs"};
}

std::vector<proto::HostCheck> host_checks(const std::filesystem::path& state_dir, sys::ProcessRunner& processes) {
  std::vector<proto::HostCheck> checks;
  constexpr std::uint64_t kComfortable = 10ULL << 30;
  proto::HostCheck disk{"disk", false, false, "", ""};
  if (auto free = sys::free_space(state_dir)) {
    disk.ok = *free >= kComfortable;
    disk.detail = base::human_bytes(*free) + " free for " + state_dir.string();
    if (!disk.ok) disk.cure = "images and artifacts need room: free " + base::human_bytes(kComfortable);
  } else {
    disk.detail = free.error().message;
  }
  checks.push_back(std::move(disk));
  checks.push_back(platforms_check());

  for (const auto& tool : kTools) {
    sys::Command command;
    command.argv = {tool.program, "--version"};
    auto captured = sys::capture(processes, command);
    const bool ok = captured && captured->status.ok();
    std::string version = ok ? std::string(base::trim(base::split(captured->out, '\n').front())) : "not found";
    checks.push_back({tool.program, ok, tool.required, fmt::format("{}: {}", version, tool.use),
                      ok ? "" : fmt::format("install the package {}", tool.package)});
  }
  return checks;
}

}  // namespace ingot::app
