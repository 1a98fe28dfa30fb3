#include <fmt/format.h>

#include <algorithm>

#include "daemon/earthfile/interpreter.h"

// Commands whose end or output decides on what comes next.
namespace ingot::earthfile {

namespace {

// What a container's runtime and a login set, whatever the step's own environment has.
bool is_set_by_others(const std::string& name) {
  constexpr std::string_view kNames[] = {"PATH",    "HOME",  "HOSTNAME", "TERM",  "USER",
                                         "LOGNAME", "SHELL", "PWD",      "OLDPWD"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

Status Interpreter::check_has_container(const Frame& frame, const Place& place) const {
  if (frame.progress.step) return {};
  return fail_at(place, ErrorKind::invalid, "this comes before any FROM, and needs a container to run in",
                 "say what to start from above it, such as FROM debian:bookworm");
}

tl::unexpected<Error> Interpreter::leave_open(const Place& place) {
  open_question_ = place.position();
  return fail_at(place, ErrorKind::unavailable, "nothing is run to find out what comes next");
}

Result<std::optional<shell::Shell>> Interpreter::shell_of(Frame& frame, const Place& place) {
  INGOT_TRY(auto program, host_.shell_program(graph_.up_to(*frame.progress.step)));
  if (!program) return leave_open(place);
  return shell::shell_named(*program);
}

Result<std::optional<bool>> Interpreter::answered_here(Frame& frame, const graph::ExecOp& exec, const Place& place) {
  const VariableTable environment(exec.env);
  bool is_certain = true;
  const auto variable = [&](const std::string& name) -> std::optional<std::string> {
    const std::string* value = environment.find(name);
    if (value == nullptr && is_set_by_others(name)) is_certain = false;
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  Status found;
  const auto shell = [&]() -> std::optional<shell::Shell> {
    auto which = shell_of(frame, place);
    if (!which) found = base::fail(which.error());
    return which ? *which : std::nullopt;
  };
  const auto answer = shell::answer(exec.command, variable, shell);
  INGOT_CHECK(found);
  return is_certain ? answer : std::nullopt;
}

Result<graph::Answer> Interpreter::ask(Frame& frame, graph::ExecOp exec, const std::string& text, const Place& place) {
  INGOT_CHECK(check_has_container(frame, place));
  graph::Step step;
  exec.asks = true;
  step.operation = std::move(exec);
  step.parent = frame.progress.step;
  step.target = frame.target;
  step.text = text;
  step.position = place.position();
  step.anew = anew_.contains(frame.target);
  met_.insert(frame.target);
  INGOT_TRY(const auto id, graph_.add(std::move(step)));
  auto answer = host_.ask(graph_.up_to(id));
  if (!answer) return base::fail(answer.error());
  if (*answer) return std::move(**answer);
  return leave_open(place);
}

Result<std::string> Interpreter::shell_out(Frame& frame, const std::string& command, const Place& place) {
  INGOT_TRY(auto exec, exec_of(frame, {}));
  exec.command = command;
  INGOT_TRY(auto answer, ask(frame, std::move(exec), "$(" + command + ")", place));
  if (answer.exit_code != 0) {
    return fail_at(place, ErrorKind::step_failed,
                   fmt::format("the command in $(...) ended with exit code {}", answer.exit_code),
                   "let it end with 0 where that is no mistake: $(command || true)");
  }
  if (answer.output.ends_with('\n')) answer.output.pop_back();
  return std::move(answer.output);
}

}  // namespace ingot::earthfile
