#pragma once

#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "client/render/event_view.h"

namespace ingot::client {

// Turns events into whole lines: output pieces joined, a failed step's last output once more at the end. With `verbose`
// also how long each step took.
class LineFormatter {
 public:
  explicit LineFormatter(Style style, bool verbose = false) : style_(style), verbose_(verbose) {}
  std::vector<std::string> lines(const proto::Event& event);

 private:
  struct Step {
    bool raw = false;                               // RUN --raw-output: its lines stand alone
    std::map<std::string, std::string> open_lines;  // by stream
    std::deque<std::string> last;                   // prefixed
  };
  std::vector<std::string> output(const proto::Event& event);
  std::vector<std::string> step_end(const proto::Event& event);
  std::vector<std::string> ending(const proto::Event& event);

  static constexpr std::size_t kRepeatedLines = 40;
  static constexpr std::size_t kLongestOpenLine = 1 << 20;
  static std::string finish_line(Step& step, const std::string& target, std::string& open);

  Style style_;
  bool verbose_;
  std::map<std::string, Step> steps_;
  std::vector<std::string> failed_output_;
};

class PlainView : public EventView {
 public:
  PlainView(std::FILE* out, Style style, bool verbose = false) : out_(out), formatter_(style, verbose) {}
  void event(const proto::Event& event) override;
  void message(const std::string& line) override;

 private:
  std::FILE* out_;
  LineFormatter formatter_;
};

}  // namespace ingot::client
