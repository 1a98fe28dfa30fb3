#include "client/render/live_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <regex>

#include "client/render/progress_line.h"
#include "daemon/base/result.h"

namespace ingot::client {
namespace {

using proto::Event;
using proto::EventType;

// A terminal: knows text, where a line begins, "up n" and "erase below", which is all that the view uses.
class Screen {
 public:
  void feed(const std::string& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r' || bytes[i] == '\n') {
        column_ = 0;
        row_ += bytes[i] == '\n' ? 1 : 0;
      } else if (bytes[i] == '\033') {
        i = obey(bytes, i);
      } else {
        if (rows_.size() <= row_) rows_.resize(row_ + 1);
        if (rows_[row_].size() <= column_) rows_[row_].resize(column_ + 1, ' ');
        rows_[row_][column_++] = bytes[i];
      }
    }
  }
  std::string text() const {
    std::string all;
    for (const auto& row : rows_) all += row + "\n";
    return all;
  }

 private:
  // A sequence of ESC, [, a number and a letter; returns where the letter is.
  std::size_t obey(const std::string& bytes, std::size_t at) {
    const std::size_t end = bytes.find_first_of("AJm", at);
    if (end == std::string::npos) return bytes.size();
    if (bytes[end] == 'A') row_ -= std::stoul(bytes.substr(at + 2, end - at - 2));
    if (bytes[end] == 'J' && row_ < rows_.size()) {
      rows_.resize(row_ + 1);
      rows_[row_].resize(std::min(column_, rows_[row_].size()));
      if (rows_[row_].empty()) rows_.pop_back();
    }
    return end;
  }
  std::vector<std::string> rows_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

class LiveViewTest : public testing::Test {
 protected:
  int controller = -1;
  std::FILE* out = nullptr;
  std::string received;

  void SetUp() override {
    int terminal = -1;
    winsize size{10, 40, 0, 0};
    if (openpty(&controller, &terminal, nullptr, nullptr, &size) != 0) {
      GTEST_SKIP() << "no pseudo terminal here: " << std::strerror(errno);
    }
    fcntl(controller, F_SETFL, O_NONBLOCK);
    out = fdopen(terminal, "w");
  }
  void TearDown() override {
    if (out == nullptr) return;
    std::fclose(out);
    close(controller);
  }
  void receive() {
    char bytes[4096];
    for (ssize_t got = 0; (got = read(controller, bytes, sizeof bytes)) > 0;)
      received.append(bytes, static_cast<std::size_t>(got));
  }
  std::string screen() {
    receive();
    Screen screen;
    screen.feed(received);
    return screen.text();
  }
  // Drawing is the view's own thread's, at its own pace.
  std::string screen_once(const std::string& shows) {
    for (int i = 0; i < 200; ++i) {
      const std::string text = screen();
      if (text.find(shows) != std::string::npos) return text;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return screen();
  }
  static Event step(EventType type, const std::string& id, const std::string& text = {}) {
    Event event;
    event.type = type;
    event.step = id;
    event.target = "+t";
    event.text = text;
    return event;
  }
};

TEST_F(LiveViewTest, running_steps_stand_below_and_fold_into_a_line_when_they_end) {
  {
    LiveView view(out, Style{});
    view.message("job abc");
    view.event(step(EventType::step_start, "1", "RUN first\n  && more"));
    view.event(step(EventType::step_start, "2", "RUN second"));
    view.event(step(EventType::output, "1", "\033[31mhello\033[0m"));
    // How long they have been running is the machine's to say.
    EXPECT_EQ(std::regex_replace(screen_once("hello"), std::regex("[0-9]\\.[0-9]s"), "N.Ns"),
              "job abc\n"
              "+t RUN first   && more             N.Ns\n"
              "  hello\n"
              "+t RUN second                      N.Ns\n");
    auto end = step(EventType::step_end, "1");
    end.seconds = 3.2;
    view.event(end);
    screen_once("ok ");
    end = step(EventType::step_end, "2");
    end.cached = true;
    view.event(end);
  }
  EXPECT_EQ(screen(),
            "job abc\n"
            "ok   +t RUN first   && more        3.2s\n"
            "ok   +t RUN second             *cached*\n");
}

TEST_F(LiveViewTest, a_failure_shows_its_output_and_the_error) {
  {
    LiveView view(out, Style{});
    view.event(step(EventType::step_start, "1", "RUN false"));
    view.event(step(EventType::output, "1", "why"));
    auto end = step(EventType::step_end, "1");
    end.exit_code = 1;
    view.event(end);
    Event state;
    state.type = EventType::state;
    state.error = Error{ErrorKind::step_failed, "exit code 1", "", std::nullopt, {}};
    view.event(state);
  }
  EXPECT_EQ(screen(),
            "FAIL +t RUN false                  0.0s\n"
            "The output of the step that failed, once more:\n"
            "                  +t | why\n"
            "ERROR exit code 1\n");
}

TEST_F(LiveViewTest, pausing_leaves_nothing_of_the_block) {
  LiveView view(out, Style{});
  view.message("kept");
  view.event(step(EventType::step_start, "1", "RUN sleep"));
  screen_once("sleep");
  view.pause();
  EXPECT_EQ(screen(), "kept\n");
}

TEST_F(LiveViewTest, a_busy_job_is_drawn_at_most_ten_times_a_second) {
  LiveView view(out, Style{});
  view.event(step(EventType::step_start, "1", "RUN yes"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(450);
  while (std::chrono::steady_clock::now() < end) {
    view.event(step(EventType::output, "1", "y"));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    receive();
  }
  std::size_t drawings = 0;
  for (std::size_t at = received.find("\033[J"); at != std::string::npos; at = received.find("\033[J", at + 1))
    ++drawings;
  EXPECT_LE(drawings, 5U);
}

TEST_F(LiveViewTest, a_key_that_the_terminal_echoes_leaves_no_trace) {
  LiveView view(out, Style{});
  view.event(step(EventType::step_start, "1", "RUN sleep"));
  screen_once("sleep");
  std::fputs("^C", out);
  std::fflush(out);
  view.message("canceling");
  EXPECT_EQ(screen_once("canceling").substr(0, 10), "canceling\n");
}

TEST(ProgressLine, tells_name_part_and_whole) {
  EXPECT_EQ(ProgressLine::text("a.iso\n", 512, 1024), " 50%  512 B of 1.0 KiB  a.iso\\x0a");
  EXPECT_EQ(ProgressLine::text("empty", 0, 0), "100%  0 B of 0 B  empty");
}

}  // namespace
}  // namespace ingot::client
