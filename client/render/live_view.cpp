#include "client/render/live_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr std::size_t kNarrowest = 20;

std::size_t terminal_width(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::max<std::size_t>(size.ws_col, kNarrowest);
}

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return base::printable(text);
}

}  // namespace

LiveView::LiveView(std::FILE* out, Style style) : out_(out), style_(style), formatter_(style) {
  ticker_ = std::thread([this] { loop(); });
}

LiveView::~LiveView() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    erase_block();
    std::fflush(out_);
  }
  changed_.notify_all();
  ticker_.join();
}

void LiveView::pause() {
  std::lock_guard lock(mutex_);
  erase_block();
  running_.clear();
  std::fflush(out_);
}

// Draws when something changed, and each second for the times while something runs.
void LiveView::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (running_.empty() && !dirty_)
      changed_.wait(lock);
    else
      changed_.wait_for(lock, std::chrono::seconds(1), [&] { return stopping_ || dirty_; });
    if (stopping_) return;
    draw();
    lock.unlock();
    std::this_thread::sleep_for(kBetweenDrawings);
    lock.lock();
  }
}

std::vector<std::string> LiveView::running_lines(std::size_t width, std::chrono::steady_clock::time_point now) const {
  std::vector<std::string> lines;
  for (const auto& [id, step] : running_) {
    const std::string time = base::human_duration(std::chrono::duration<double>(now - step.started).count());
    const std::size_t room = width - std::min(width, time.size() + 2);
    const std::string head = cut_to_width(step.target + " " + step.text, room);
    lines.push_back(head + std::string(room - std::min(room, display_width(head)), ' ') + "  " + time);
    for (const auto& line : step.last) lines.push_back(cut_to_width("  " + line, width));
  }
  return lines;
}

void LiveView::erase_block() {
  if (drawn_lines_ > 0) std::fprintf(out_, "\033[%zuA\033[J", drawn_lines_);
  drawn_lines_ = 0;
}

void LiveView::draw() {
  erase_block();
  // One cell is left free: a full line would wrap, and the block would be taller than it was counted.
  const auto lines = running_lines(terminal_width(out_) - 1, std::chrono::steady_clock::now());
  for (const auto& line : lines)
    std::fprintf(out_, "%s\n", line.starts_with("  ") ? style_.dim(line).c_str() : line.c_str());
  drawn_lines_ = lines.size();
  dirty_ = false;
  std::fflush(out_);
}

void LiveView::print(const std::string& line) {
  erase_block();
  std::fprintf(out_, "%s\n", line.c_str());
}

void LiveView::ended(const proto::Event& event) {
  auto found = running_.find(event.step);
  if (found == running_.end()) return;
  const std::string mark = event.exit_code == 0 ? style_.green("ok  ") : style_.red("FAIL");
  const std::string time = base::human_duration(event.seconds);
  const std::size_t width = terminal_width(out_) - 1;
  const std::size_t room = width - std::min(width, time.size() + 7);
  print(mark + " " + cut_to_width(found->second.target + " " + found->second.text, room) + "  " + style_.dim(time));
  running_.erase(found);
}

void LiveView::event(const proto::Event& event) {
  std::lock_guard lock(mutex_);
  const auto lines = formatter_.lines(event);
  if (event.type == proto::EventType::step_start) {
    running_[event.step] = {event.target, one_line(event.text), std::chrono::steady_clock::now(), {}};
  } else if (event.type == proto::EventType::step_end) {
    ended(event);
  } else if (event.type == proto::EventType::output) {
    for (const auto& line : lines) {
      auto found = running_.find(event.step);
      if (found == running_.end()) continue;
      found->second.last.push_back(line.substr(log_prefix(event.target).size()));
      if (found->second.last.size() > kShownLines) found->second.last.pop_front();
    }
  } else {
    for (const auto& line : lines) print(line);
  }
  dirty_ = true;
  changed_.notify_all();
}

void LiveView::message(const std::string& line) {
  std::lock_guard lock(mutex_);
  print(line);
  dirty_ = true;
  changed_.notify_all();
}

}  // namespace ingot::client
