#pragma once

#include <memory>
#include <string>

#include "client/render/text.h"
#include "proto/types.h"

namespace ingot::client {

// Shows a job's events to a person. One thread.
class EventView {
 public:
  virtual ~EventView() = default;
  virtual void event(const proto::Event& event) = 0;
  // Something of the client itself, such as what it fetched.
  virtual void message(const std::string& line) = 0;
  // No events come for now, and nothing of the view may stay on the screen.
  virtual void pause() {}
};

enum class ViewKind {
  plain,
  live,
  json,    // every event as one line of JSON
  silent,  // only the error of a job that failed, on stderr
};
std::unique_ptr<EventView> make_view(ViewKind kind, Style style, bool verbose = false);

}  // namespace ingot::client
