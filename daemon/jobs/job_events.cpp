#include "daemon/jobs/job_events.h"

#include <utility>

namespace ingot::jobs {

proto::Event state_event(proto::JobState state, const std::optional<Error>& error) {
  proto::Event event;
  event.type = proto::EventType::state;
  event.state = state;
  event.error = error;
  return event;
}

proto::Event note_event(std::string text) {
  proto::Event event;
  event.text = std::move(text);
  return event;
}

}  // namespace ingot::jobs
