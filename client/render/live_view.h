#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/render/live_layout.h"
#include "client/render/plain_view.h"

namespace ingot::client {

// For a terminal: what is finished scrolls by as one line a step, and below it stand the running steps with their time
// and their last lines, drawn again at most ten times a second, for the size that the terminal has at that moment. It
// neither hides the cursor nor changes the terminal's modes: whatever ends the program, nothing is to be restored.
class LiveView : public EventView {
 public:
  LiveView(std::FILE* out, Style style, bool verbose = false);
  ~LiveView() override;
  void event(const proto::Event& event) override;
  void message(const std::string& line) override;
  void pause() override;

 private:
  void loop();
  void draw();  // under mutex_, as are all below
  std::string erasing(TerminalSize size);
  void print(const std::string& line) { scrolling_ += line + "\n"; }
  void ended(const proto::Event& event);
  std::vector<RunningStep>::iterator find(const std::string& id);

  std::FILE* out_;
  Style style_;
  LineFormatter formatter_;

  std::mutex mutex_;  // guards all below, and what is written to out_
  std::condition_variable changed_;
  std::vector<RunningStep> running_;
  std::string scrolling_;                  // whole lines that go above the block with the next drawing
  std::vector<std::size_t> drawn_widths_;  // of the block's lines as they stand on the screen
  TerminalSize drawn_size_;
  bool dirty_ = false;
  bool stopping_ = false;
  std::thread ticker_;
};

}  // namespace ingot::client
