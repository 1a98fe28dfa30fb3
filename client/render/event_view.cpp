#include "client/render/event_view.h"

#include <nlohmann/json.hpp>

#include "client/render/live_view.h"
#include "client/render/plain_view.h"
#include "proto/codec.h"

namespace ingot::client {

namespace {

class SilentView : public EventView {
 public:
  void event(const proto::Event& event) override {
    // Even who wants no output wants to know why it failed.
    if (event.type == proto::EventType::state && event.error) {
      std::fprintf(stderr, "ingot: %s\n", visible_lines(proto::render(*event.error)).c_str());
    }
  }
  void message(const std::string& /*line*/) override {}
};

// Standard output holds events and nothing else; what the client itself has to say goes to stderr.
class JsonView : public EventView {
 public:
  void event(const proto::Event& event) override {
    std::printf("%s\n", proto::dump(proto::to_json(event)).c_str());
    std::fflush(stdout);
  }
  void message(const std::string& line) override { std::fprintf(stderr, "ingot: %s\n", line.c_str()); }
};

}  // namespace

std::unique_ptr<EventView> make_view(ViewKind kind, Style style, bool verbose) {
  switch (kind) {
    case ViewKind::live:
      return std::make_unique<LiveView>(stdout, style, verbose);
    case ViewKind::plain:
      return std::make_unique<PlainView>(stdout, style, verbose);
    case ViewKind::json:
      return std::make_unique<JsonView>();
    case ViewKind::silent:
      return std::make_unique<SilentView>();
  }
  return std::make_unique<SilentView>();
}

}  // namespace ingot::client
