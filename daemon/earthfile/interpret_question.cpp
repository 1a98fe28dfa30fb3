#include <fmt/format.h>

#include <algorithm>

#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/shown_target.h"

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
  const Rank rank = strands_.next_rank();
  if (!open_question_ || rank < open_question_->first) open_question_ = {rank, place.position()};
  strands_.current().left_open = true;
  return fail_at(place, ErrorKind::unavailable, "nothing is run to find out what comes next");
}

Result<std::optional<shell::Shell>> Interpreter::shell_of(Frame& frame, const Place& place) {
  const graph::StepId step = *frame.progress.step;
  auto known = shells_.find(step);
  if (known == shells_.end()) {
    INGOT_TRY(auto program, aside([&, state = graph_.up_to(step)] { return host_.shell_program(state); }));
    if (!program) return leave_open(place);
    known = shells_.emplace(step, std::move(*program)).first;
  }
  return shell::shell_named(known->second);
}

Result<std::optional<bool>> Interpreter::answered_here(Frame& frame, const graph::ExecOp& exec, const Place& place) {
  bool is_certain = true;
  const auto variable = [&](const std::string& name) -> std::optional<std::string> {
    const std::string* value = frame.progress.scope.find(name);  // as the command's environment has it
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
  step.target = shown_target(frame.target, frame.progress.platform);
  step.text = text;
  step.position = place.position();
  step.anew = anew_.contains(frame.target);
  met_.insert(frame.target);
  INGOT_TRY(const auto id, graph_.add(std::move(step)));
  // There it may have changed something, and what follows comes behind it.
  if (frame.progress.local) frame.progress.step = id;
  if (auto known = answers_.find(id); known != answers_.end()) return known->second;
  INGOT_TRY(auto answer, aside([&, question = graph_.up_to(id)] { return host_.ask(question); }));
  if (!answer) return leave_open(place);
  answers_[id] = *answer;
  return *std::move(answer);
}

Result<std::string> Interpreter::shell_out(Frame& frame, const std::string& command, const Place& place) {
  INGOT_TRY(auto exec, exec_of(frame, {}, place));
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
