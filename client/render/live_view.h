#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/render/plain_view.h"

namespace ingot::client {

// For a terminal: what is finished scrolls by as one line a step, and below it stand the running steps with their time
// and their last lines, drawn again at most ten times a second, cut to the width that the terminal has at that moment.
class LiveView : public EventView {
 public:
  LiveView(std::FILE* out, Style style);
  ~LiveView() override;
  void event(const proto::Event& event) override;
  void message(const std::string& line) override;
  void pause() override;

  // The lines below the scrolling part; separate from drawing, for tests.
  std::vector<std::string> running_lines(std::size_t width, std::chrono::steady_clock::time_point now) const;

 private:
  void loop();
  void draw();         // under mutex_
  void erase_block();  // under mutex_
  void print(const std::string& line);
  void ended(const proto::Event& event);

  static constexpr std::size_t kShownLines = 4;
  struct Running {
    std::string target;
    std::string text;
    std::chrono::steady_clock::time_point started;
    std::deque<std::string> last;
  };

  std::FILE* out_;
  Style style_;
  LineFormatter formatter_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::string, Running> running_;
  std::size_t drawn_lines_ = 0;
  bool dirty_ = false;
  bool stopping_ = false;
  std::thread ticker_;
};

}  // namespace ingot::client
