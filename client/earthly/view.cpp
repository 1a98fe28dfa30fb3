#include "client/earthly/view.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::client::earthly {

using proto::EventType;

namespace {

constexpr std::size_t kRepeatedLines = 200;

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return visible(text);
}

std::string failed_prefix(const std::string& target) {
  return fmt::format("{:>20} *failed* | ", visible(target));
}

std::string bar(const std::string& word) {
  const std::string half(30, '=');
  return half + " " + word + " " + half;
}

// "ERROR Earthfile:4:5", the command, and what became of it.
std::vector<std::string> told(const Error& error, const std::string& command) {
  std::vector<std::string> lines;
  lines.push_back("ERROR " + (error.position ? fmt::format("{}:{}:{}", visible(error.position->file),
                                                           error.position->line, error.position->column)
                                             : std::string()));
  lines.push_back("      The command");
  lines.push_back("          " + one_line(command));
  // The message begins with what stands above: "the command ended with exit code 2".
  constexpr std::string_view kCommand = "the command ";
  const bool of_command = error.message.starts_with(kCommand);
  lines.push_back(
      "      " + (of_command ? one_line(error.message.substr(kCommand.size())) : "failed: " + one_line(error.message)));
  for (const auto& where : error.context) lines.push_back("      " + one_line(where));
  if (!error.hint.empty()) lines.push_back("      hint: " + one_line(error.hint));
  return lines;
}

}  // namespace

void View::print(const std::string& line) {
  std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

void View::remember(const proto::Event& event, const std::vector<std::string>& lines) {
  Step& step = steps_[event.step];
  if (event.type == EventType::step_start) step = {event.target, event.text, {}};
  if (event.type == EventType::output || event.type == EventType::step_end) {
    const std::string prefix = log_prefix(event.target);
    for (const auto& line : lines) step.last.push_back(line.starts_with(prefix) ? line.substr(prefix.size()) : line);
    if (step.last.size() > kRepeatedLines) {
      step.last.erase(step.last.begin(), step.last.end() - static_cast<std::ptrdiff_t>(kRepeatedLines));
    }
  }
  // Of a log that was cut: what the step printed last.
  if (event.type == EventType::tail) step.last = base::split(visible_lines(event.text), '\n');
  if (event.type != EventType::step_end) return;
  if (event.exit_code != 0 && failed_.command.empty()) failed_ = step;
  steps_.erase(event.step);
}

void View::event(const proto::Event& event) {
  if (event.type == EventType::state) {
    if (event.error) ended(*event.error);
    return;
  }
  const auto lines = lines_.lines(event);
  for (const auto& line : lines) print(line);
  if (!event.step.empty()) remember(event, lines);
}

void View::ended(const Error& error) {
  const bool of_step = error.kind == ErrorKind::step_failed && !failed_.command.empty();
  if (!of_step) return failure(error);
  const auto lines = told(error, failed_.command);
  for (const auto& line : lines) print(log_prefix(failed_.target) + line);
  print(style_.red(bar("FAILURE")));
  const std::string prefix = failed_prefix(failed_.target);
  print(prefix + "Once more, what failed:");
  print(prefix + "--> " + one_line(failed_.command));
  for (const auto& line : failed_.last) print(prefix + line);
  if (failed_.last.empty()) print(prefix + "[no output]");
  for (const auto& line : lines) print(prefix + line);
}

void View::message(const std::string& line) {
  if (verbose_) tell("ingot", line);
}

void View::tell(const std::string& who, const std::string& line) {
  print(log_prefix(who) + line);
}

void View::success() {
  print(style_.green(bar("SUCCESS")));
}

void View::failure(const Error& error) {
  print(style_.red(bar("FAILURE")));
  print("Error: " + visible_lines(proto::render(error)));
}

}  // namespace ingot::client::earthly
