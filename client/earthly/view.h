#pragma once

#include <cstdio>
#include <map>

#include "client/render/plain_view.h"
#include "daemon/base/result.h"

namespace ingot::client::earthly {

// Events as lines of Earthly's log: the target in 20 columns, a bar, the text. Of a failure the place in the Earthfile,
// the command and its exit code, and then all of it once more with that step's output.
class View : public EventView {
 public:
  View(std::FILE* out, Style style, bool verbose)
      : out_(out), style_(style), verbose_(verbose), lines_(style, verbose) {}
  void event(const proto::Event& event) override;
  // Of the client itself; only with `verbose`.
  void message(const std::string& line) override;

  // What somebody who reads the log for results looks for.
  void tell(const std::string& who, const std::string& line);
  void success();
  // Of an error that is no step's.
  void failure(const Error& error);

 private:
  struct Step {
    std::string target;
    std::string command;
    std::vector<std::string> last;
  };
  void remember(const proto::Event& event, const std::vector<std::string>& lines);
  void ended(const Error& error);
  void print(const std::string& line);

  std::FILE* out_;
  Style style_;
  bool verbose_;
  LineFormatter lines_;
  std::map<std::string, Step> steps_;
  Step failed_;
};

}  // namespace ingot::client::earthly
