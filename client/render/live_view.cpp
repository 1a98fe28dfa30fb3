#include "client/render/live_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr std::chrono::milliseconds kBetweenLooks{250};  // at the clock and at the terminal's size

TerminalSize size_of(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' || c == '\t' ? ' ' : c;
  return visible(text);
}

}  // namespace

LiveView::LiveView(std::FILE* out, Style style, bool verbose) : out_(out), style_(style), formatter_(style, verbose) {
  ticker_ = std::thread([this] { loop(); });
}

LiveView::~LiveView() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    running_.clear();
    draw();
  }
  changed_.notify_all();
  ticker_.join();
}

void LiveView::pause() {
  std::lock_guard lock(mutex_);
  running_.clear();
  draw();
}

void LiveView::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (running_.empty() && !dirty_)
      changed_.wait(lock);
    else
      changed_.wait_for(lock, kBetweenLooks, [&] { return stopping_ || dirty_; });
    if (stopping_) return;
    draw();
    lock.unlock();
    std::this_thread::sleep_for(kBetweenDrawings);
    lock.lock();
  }
}

// Back to the block's first row, and everything below it away. A terminal that became narrower has wrapped the lines
// that stood there. First to the left: the terminal itself may have shown a ^C.
std::string LiveView::erasing(TerminalSize size) {
  if (drawn_widths_.empty()) return {};
  const std::size_t rows =
      size.columns < drawn_size_.columns ? rows_of(drawn_widths_, size.columns) : drawn_widths_.size();
  return fmt::format("\r\033[{}A\033[J", rows);
}

// In one write, so that no half-drawn state is ever seen.
void LiveView::draw() {
  const TerminalSize size = size_of(out_);
  std::string frame = erasing(size) + std::exchange(scrolling_, {});
  drawn_widths_.clear();
  for (const auto& line : live_block(running_, size, std::chrono::steady_clock::now())) {
    drawn_widths_.push_back(display_width(line));
    frame += (line.starts_with("  ") ? style_.dim(line) : line) + "\n";
  }
  drawn_size_ = size;
  dirty_ = false;
  std::fwrite(frame.data(), 1, frame.size(), out_);
  std::fflush(out_);
}

std::vector<RunningStep>::iterator LiveView::find(const std::string& id) {
  return std::find_if(running_.begin(), running_.end(), [&](const auto& step) { return step.id == id; });
}

void LiveView::ended(const proto::Event& event) {
  auto found = find(event.step);
  if (found == running_.end()) return;
  const std::string mark = event.exit_code == 0 ? style_.green("ok  ") : style_.red("FAIL");
  const std::string time = event.cached ? "*cached*" : base::human_duration(event.seconds);
  constexpr std::size_t kMark = 6;  // columns of the mark, its space, and the last one, which stays free
  const std::size_t columns = std::max<std::size_t>(size_of(out_).columns, 20) - kMark;
  print(mark + " " + justified(found->target + " " + found->text, time, columns));
  running_.erase(found);
}

void LiveView::event(const proto::Event& event) {
  std::lock_guard lock(mutex_);
  const auto lines = formatter_.lines(event);
  if (event.type == proto::EventType::step_start) {
    running_.push_back({event.step, visible(event.target), one_line(event.text), std::chrono::steady_clock::now(), {}});
  } else if (event.type == proto::EventType::step_end) {
    ended(event);
  } else if (event.type == proto::EventType::output) {
    auto found = find(event.step);
    for (const auto& line : lines) {
      if (found == running_.end()) break;
      found->last.push_back(one_line(line.substr(log_prefix(event.target).size())));
      if (found->last.size() > RunningStep::kLines) found->last.pop_front();
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
