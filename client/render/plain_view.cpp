#include "client/render/plain_view.h"

#include <fmt/format.h>

#include "daemon/base/strings.h"

namespace ingot::client {

using proto::EventType;

namespace {

// A warning that quotes the Earthfile has several lines.
std::vector<std::string> notes(const std::string& text, Style style) {
  std::vector<std::string> lines;
  for (const auto& line : base::split(text, '\n')) lines.push_back(log_prefix("ingot") + style.yellow(visible(line)));
  return lines;
}

// Whether the flag stands among those of a RUN.
bool has_raw_output(const std::string& command) {
  const auto words = base::split(command, ' ');
  for (std::size_t i = 1; i < words.size() && words.front() == "RUN" && words[i].starts_with("--"); ++i) {
    if (words[i] == "--raw-output" || words[i] == "--raw-output=true") return true;
  }
  return false;
}

}  // namespace

std::string LineFormatter::finish_line(Step& step, const std::string& target, std::string& open) {
  std::string line = (step.raw ? "" : log_prefix(target)) + clean_output(open);
  open.clear();
  step.last.push_back(line);
  if (step.last.size() > kRepeatedLines) step.last.pop_front();
  return line;
}

std::vector<std::string> LineFormatter::output(const proto::Event& event) {
  Step& step = steps_[event.step];
  std::string& open = step.open_lines[event.stream];
  open += event.bytes.empty() ? event.text : event.bytes;
  if (event.partial && open.size() < kLongestOpenLine) return {};
  return {finish_line(step, event.target, open)};
}

std::vector<std::string> LineFormatter::step_end(const proto::Event& event) {
  std::vector<std::string> lines;
  Step& step = steps_[event.step];
  for (auto& [stream, open] : step.open_lines) {
    if (!open.empty()) lines.push_back(finish_line(step, event.target, open));
  }
  if (event.exit_code != 0 && failed_output_.empty()) failed_output_.assign(step.last.begin(), step.last.end());
  steps_.erase(event.step);
  if (verbose_) {
    const std::string how = event.cached ? "*cached*" : event.exit_code == 0 ? "done" : "failed";
    lines.push_back(log_prefix(event.target) + style_.dim(how + " after " + base::human_duration(event.seconds)));
  }
  return lines;
}

// The job's last event: of a failure, the output of the step that failed, then the error.
std::vector<std::string> LineFormatter::ending(const proto::Event& event) {
  if (!event.error) return {};
  std::vector<std::string> lines;
  if (event.error->kind == ErrorKind::step_failed || event.error->kind == ErrorKind::timed_out) {
    if (!failed_output_.empty()) lines.push_back(style_.bold("The output of the step that failed, once more:"));
    lines.insert(lines.end(), failed_output_.begin(), failed_output_.end());
  }
  const auto rendered = base::split(visible_lines(proto::render(*event.error)), '\n');
  for (std::size_t i = 0; i < rendered.size(); ++i) lines.push_back((i == 0 ? style_.red("ERROR ") : "") + rendered[i]);
  return lines;
}

std::vector<std::string> LineFormatter::lines(const proto::Event& event) {
  switch (event.type) {
    case EventType::output:
      return output(event);
    case EventType::step_start: {
      std::string text = event.text;
      steps_[event.step].raw = has_raw_output(text);
      for (char& c : text) c = c == '\n' ? ' ' : c;
      return {log_prefix(event.target) +
              style_.bold((event.cached ? "*cached* " : "") + std::string("--> ") + visible(text))};
    }
    case EventType::step_end:
      return step_end(event);
    case EventType::tail: {
      failed_output_.clear();
      for (const auto& line : base::split(event.text, '\n')) {
        if (!line.empty()) failed_output_.push_back(log_prefix(event.target) + clean_output(line));
      }
      while (failed_output_.size() > kRepeatedLines) failed_output_.erase(failed_output_.begin());
      return {};
    }
    case EventType::note:
      return notes(event.text, {});
    case EventType::cut:
      return notes(event.text, style_);
    case EventType::state:
      return ending(event);
    case EventType::artifact:
      return {};
  }
  return {};
}

void PlainView::event(const proto::Event& event) {
  for (const auto& line : formatter_.lines(event)) std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

void PlainView::message(const std::string& line) {
  std::fprintf(out_, "%s\n", (log_prefix("ingot") + line).c_str());
  std::fflush(out_);
}

}  // namespace ingot::client
