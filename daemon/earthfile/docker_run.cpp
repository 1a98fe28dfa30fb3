#include <algorithm>
#include <array>

#include "daemon/base/strings.h"
#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/mount_option.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/shell_quote.h"

// RUN of a Dockerfile.
namespace ingot::earthfile {

namespace {

using dockerfile::Heredoc;
using dockerfile::Instruction;

// A step's text is read by /bin/sh: another shell is one more program to it.
std::string for_shell(const std::vector<std::string>& shell, const std::string& text) {
  if (shell == std::vector<std::string>{"/bin/sh", "-c"}) return text;
  std::vector<std::string> words = shell;
  words.push_back(text);
  return "exec " + shell_quoted(words);
}

// A heredoc that says itself who reads it ("#!/usr/bin/env python3") is a file to that program. It lies in memory that
// the step alone sees, so that nothing of it is left.
std::string for_own_interpreter(const std::string& script) {
  constexpr const char* kFile = "/dev/shm/run";
  const std::string_view first = std::string_view(script).substr(2, script.find('\n') - 2);
  std::vector<std::string> words;
  const std::string_view program = base::trim(first);
  const std::size_t blank = program.find_first_of(" \t");
  words.emplace_back(program.substr(0, blank));
  if (blank != std::string_view::npos) words.emplace_back(base::trim(program.substr(blank)));
  words.emplace_back(kFile);
  return "printf %s " + shell_quoted({script}) + " > " + kFile + " && exec " + shell_quoted(words);
}

std::string text_of(const Instruction& one, const std::vector<std::string>& shell) {
  if (one.exec) return "exec " + shell_quoted(*one.exec);
  if (one.heredocs.empty()) return for_shell(shell, one.arguments.text);
  const Heredoc& first = one.heredocs.front();
  const bool is_script = one.words.size() == 1 && first.place.offset == one.words.front().place.offset;
  if (is_script) {
    const std::string script = first.lines();
    return script.starts_with("#!") ? for_own_interpreter(script) : for_shell(shell, script);
  }
  std::string text = one.arguments.text + "\n";
  for (const auto& heredoc : one.heredocs) text += heredoc.content + heredoc.name + "\n";
  return for_shell(shell, text);
}

constexpr std::array<const char*, 10> kProxies = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
                                                  "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
                                                  "ALL_PROXY",  "all_proxy"};

std::string field_of(const std::vector<std::string>& fields, const std::string& name) {
  for (const auto& field : fields) {
    if (field.starts_with(name + "=")) return field.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

Status DockerStages::run(DockerStage& stage, const Instruction& one) {
  graph::ExecOp exec;
  VariableTable env = stage.args;
  for (const char* name : kProxies) {
    auto given = request_.build_args.find(name);
    if (given != request_.build_args.end() && env.find(name) == nullptr) env.set(name, given->second);
  }
  for (const auto& [name, value] : stage.env.entries()) env.set(name, value);
  exec.env = env.entries();
  exec.working_dir = stage.working_dir;
  exec.user = stage.user;
  exec.platform = base::foreign_platform(stage.platform);
  for (const auto& flag : one.flags) {
    if (flag.name == "mount") INGOT_CHECK(add_mount(stage, one, flag, exec));
    if (flag.name == "network" && flag.value != "none" && flag.value != "default") {
      return fail_at(flag.place, ErrorKind::invalid, "RUN --network takes none or default",
                     "the daemon's configuration decides on the network of all other steps");
    }
    if (flag.name == "network") exec.no_network = flag.value == "none";
    if (flag.name == "device" || (flag.name == "security" && flag.value != "sandbox")) {
      return fail_at(
          flag.place, ErrorKind::unsupported,
          "RUN --" + flag.name + "=" + base::printable(flag.value) + " is not understood by this version of Ingot",
          "leave it out; most commands do without");
    }
  }
  exec.command = text_of(one, stage.shell);
  return add_step(stage, one, std::move(exec));
}

// As with Earthfiles, but for what Docker takes for granted: a mount without a type is a bind, a cache is shared, and a
// secret or an agent may be missing.
Status DockerStages::add_mount(DockerStage& stage, const Instruction& one, const Flag& flag, graph::ExecOp& exec) {
  INGOT_TRY(auto text, value_of(stage, {flag.value, flag.place}));
  auto fields = base::split(text, ',');
  if (field_of(fields, "type").empty()) fields.emplace_back("type=bind");
  const std::string type = field_of(fields, "type");
  if (const std::string variable = field_of(fields, "env"); type == "secret" && !variable.empty()) {
    const std::string id = field_of(fields, "id");
    exec.secrets.push_back({variable, id.empty() ? variable : id});
    return {};
  }
  const auto has = [&](const char* name) {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.starts_with(name); });
  };
  if ((type == "secret" || type == "ssh") && !has("required")) fields.emplace_back("required=false");
  if (type == "cache" && !has("sharing=")) fields.emplace_back("sharing=shared");
  INGOT_TRY(auto made, parse_mount({"mount", base::join(fields, ","), flag.place}, request_.target, stage.working_dir));
  if (made.mount.kind == graph::Mount::Kind::bind) {
    // As it was written: no variables in there.
    const std::string from = field_of(base::split(flag.value, ','), "from");
    const DockerPath& context = request_.context;
    if (from.empty() && context.step) {
      made.mount.from = context.step;
      made.mount.source = absolute(context.path, made.mount.source.substr(1));
    } else {
      INGOT_TRY(made.mount.from, mounted_step(one, from, made.mount.source, flag.place));
    }
  }
  exec.mounts.push_back(std::move(made.mount));
  return {};
}

// Files of the project are copied to where the mount can show them; most of them cost no bytes.
Result<graph::StepId> DockerStages::mounted_step(const Instruction& one, const std::string& from,
                                                 const std::string& source, const Place& place) {
  if (!from.empty()) return source_step(from, one, place);
  graph::CopyOp op;
  INGOT_TRY(auto path, context_path(source, one, place));
  op.sources = {std::move(path)};
  op.destination = source;
  op.excluded = request_.excluded;
  INGOT_TRY(auto empty, add(std::nullopt, graph::ImageOp{"scratch"}, "FROM scratch for " + one.name, place));
  return add(empty, std::move(op), one.text, place);
}

}  // namespace ingot::earthfile
