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
json probe_spec(const std::string& cgroup) {
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
           {{"cgroupsPath", cgroup}, {"namespaces", {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "ipc"}}}}}}};
}

std::string last_line(const std::string& text) {
  std::string last;
  for (const auto& line : base::split(text, '\n')) {
    if (!base::trim(line).empty()) last = base::trim(line);
  }
  return base::printable(last);
}

Status try_runtime(const std::string& program, const fs::path& scratch, const std::string& cgroup,
                   sys::ProcessRunner& processes, const sys::CancelToken& cancel) {
  const std::string id = "probe-" + base::random_id(8);
  INGOT_TRY(auto bundle, sys::TempDir::create(scratch, "probe-"));
  INGOT_CHECK(sys::make_directories(bundle.path() / "rootfs"));
  INGOT_TRY(auto root, sys::mount_overlay({"/"}, "", "", bundle.path() / "rootfs", "/"));
  INGOT_TRY(auto config, sys::open_file(bundle.path() / "config.json", O_WRONLY | O_CREAT));
  INGOT_CHECK(sys::write_all(config.get(), proto::dump(probe_spec(cgroup + "/" + id))));
  sys::Command command;
  command.argv = {program, "--root", bundle.path() / "state", "run", "--bundle", bundle.path(), id};
  command.timeout = std::chrono::seconds(20);
  INGOT_TRY(auto captured, sys::capture(processes, command, cancel));
  if (captured.status.ok()) return {};
  return base::fail(ErrorKind::unsupported, fmt::format("a trial container ended with status {}: {}",
                                                        captured.status.code, last_line(captured.err)));
}

// The program's own fault, or that of what the step says of it: the image lacks it, or it cannot be executed.
bool is_about_the_program(const std::string& complaint) {
  for (const char* sign : {"exec: \"", "exec user process", "executable file", "chdir to cwd", "exec format error"}) {
    if (complaint.find(sign) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Runtime probe_runtime(const std::string& wanted, const fs::path& scratch, const std::string& cgroup,
                      sys::ProcessRunner& processes, const sys::CancelToken& cancel) {
  Runtime found;
  const auto candidates =
      wanted == "auto" ? std::vector<std::string>{"runc", "crun"} : std::vector<std::string>{wanted};
  for (const auto& program : candidates) {
    if (auto tried = try_runtime(program, scratch, cgroup, processes, cancel); !tried) {
      found.reasons.push_back(program + ": " + tried.error().message);
      continue;
    }
    found.program = program;
    found.reasons.push_back(program + ": runs containers here");
    sys::Command help;
    help.argv = {program, "run", "--help"};
    if (auto text = sys::capture(processes, help, cancel))
      found.keeps = (text->out + text->err).find("--keep") != std::string::npos;
    break;
  }
  return found;
}

std::string runtime_complaint(const fs::path& log_file) {
  std::string complaint;
  auto text = sys::read_file(log_file);
  if (!text) return complaint;
  for (const auto& line : base::split(*text, '\n')) {
    auto entry = proto::parse_json(line);
    if (!entry || !entry->is_object()) continue;
    const auto level = entry->find("level");
    const auto message = entry->find("msg");
    const bool is_error = level != entry->end() && *level == "error";
    if (is_error && message != entry->end() && message->is_string()) complaint = message->get<std::string>();
  }
  return complaint;
}

Error startup_error(const std::string& complaint, const StepSpec& step) {
  Error error;
  error.message = "the step could not be started: " + base::printable(complaint);
  if (is_about_the_program(complaint)) {
    error.kind = ErrorKind::step_failed;
    const std::string program = step.argv.empty() ? "the program" : step.argv.front();
    error.hint = "check that the image has " + program + ", for this machine's architecture";
  } else {
    error.kind = ErrorKind::unavailable;
    error.hint = "`ingot doctor` says whether this host can run containers";
  }
  return error;
}

}  // namespace ingot::sandbox
