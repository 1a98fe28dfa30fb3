#include "daemon/sandbox/runtime.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/sys/mounts.h"
#include "proto/codec.h"

namespace ingot::sandbox {

namespace {

using nlohmann::json;

// The smallest container there is: the host's own root, bound read-only to the bundle, running `true`.
json probe_spec(const std::string& id) {
  return {{"ociVersion", "1.0.2"},
          {"process",
           {{"terminal", false},
            {"user", {{"uid", 0}, {"gid", 0}}},
            {"args", {"/bin/true"}},
            {"env", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}},
            {"cwd", "/"}}},
          {"root", {{"path", "rootfs"}, {"readonly", true}}},
          {"mounts", json::array({{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
                                  {{"destination", "/dev"}, {"type", "tmpfs"}, {"source", "tmpfs"}}})},
          {"linux",
           {{"cgroupsPath", "/ingot-probe-" + id},
            {"namespaces", {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "ipc"}}}}}}};
}

std::string last_line(const std::string& text) {
  std::string last;
  for (const auto& line : base::split(text, '\n')) {
    if (!base::trim(line).empty()) last = base::trim(line);
  }
  return base::printable(last);
}

Status try_runtime(const std::string& program, const fs::path& scratch, sys::ProcessRunner& processes) {
  const std::string id = base::random_id(8);
  INGOT_TRY(auto bundle, sys::TempDir::create(scratch, "probe-"));
  INGOT_CHECK(sys::make_directories(bundle.path() / "rootfs"));
  INGOT_TRY(auto root, sys::mount_overlay({"/"}, "", "", bundle.path() / "rootfs", "/"));
  INGOT_TRY(auto config, sys::open_file(bundle.path() / "config.json", O_WRONLY | O_CREAT));
  INGOT_CHECK(sys::write_all(config.get(), proto::dump(probe_spec(id))));
  sys::Command command;
  command.argv = {program, "--root", bundle.path() / "state", "run", "--bundle", bundle.path(), "ingot-probe-" + id};
  command.timeout = std::chrono::seconds(20);
  INGOT_TRY(auto captured, sys::capture(processes, command));
  if (captured.status.ok()) return {};
  return base::fail(ErrorKind::unsupported, fmt::format("a trial container ended with status {}: {}",
                                                        captured.status.code, last_line(captured.err)));
}

}  // namespace

Runtime probe_runtime(const std::string& wanted, const fs::path& scratch, sys::ProcessRunner& processes) {
  Runtime found;
  const auto candidates =
      wanted == "auto" ? std::vector<std::string>{"runc", "crun"} : std::vector<std::string>{wanted};
  for (const auto& program : candidates) {
    if (auto tried = try_runtime(program, scratch, processes); !tried) {
      found.reasons.push_back(program + ": " + tried.error().message);
      continue;
    }
    found.program = program;
    found.reasons.push_back(program + ": runs containers here");
    sys::Command help;
    help.argv = {program, "run", "--help"};
    if (auto text = sys::capture(processes, help))
      found.keeps = (text->out + text->err).find("--keep") != std::string::npos;
    break;
  }
  return found;
}

}  // namespace ingot::sandbox
