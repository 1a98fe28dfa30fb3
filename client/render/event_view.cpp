#include "client/render/event_view.h"

#include "client/render/live_view.h"
#include "client/render/plain_view.h"

namespace ingot::client {

namespace {

class SilentView : public EventView {
 public:
  void event(const proto::Event& event) override {
    // Even who wants no output wants to know why it failed.
    if (event.type == proto::EventType::state && event.error) {
      std::fprintf(stderr, "ingot: %s\n", proto::render(*event.error).c_str());
    }
  }
  void message(const std::string& /*line*/) override {}
};

}  // namespace

std::unique_ptr<EventView> make_view(ViewKind kind, Style style) {
  if (kind == ViewKind::live) return std::make_unique<LiveView>(stdout, style);
  if (kind == ViewKind::plain) return std::make_unique<PlainView>(stdout, style);
  return std::make_unique<SilentView>();
}

}  // namespace ingot::client
