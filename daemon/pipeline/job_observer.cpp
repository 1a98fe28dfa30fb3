#include "daemon/pipeline/job_observer.h"

namespace ingot::pipeline {

namespace {

proto::Event step_event(proto::EventType type, const std::string& step, const graph::Step& what) {
  proto::Event event;
  event.type = type;
  event.step = step;
  event.target = what.target;
  return event;
}

}  // namespace

void JobObserver::step_started(const std::string& step, const graph::Step& what, bool cached) {
  if (what.text.empty() || !told_.may_tell(this, step, cached)) return;
  auto event = step_event(proto::EventType::step_start, step, what);
  event.text = what.text;
  event.position = proto::place_of(what.position);
  event.cached = cached;
  log_.append(std::move(event));
}

void JobObserver::output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) {
  if (!told_.may_tell(this, step, false)) return;
  log_.append_output(step, what.target, stream == sys::Stream::out ? "stdout" : "stderr", bytes);
}

void JobObserver::step_ended(const std::string& step, const graph::Step& what, const StepEnd& end) {
  if (what.text.empty() || !told_.may_tell(this, step, end.cached)) return;
  log_.flush_output(step, what.target);
  std::string tail = log_.take_tail(step);
  // A follower has seen the output, unless the log was cut before it: then its end is told here.
  if (end.exit_code != 0 && log_.was_cut() && !tail.empty()) {
    auto event = step_event(proto::EventType::tail, step, what);
    event.text = std::move(tail);
    log_.append(std::move(event));
  }
  auto event = step_event(proto::EventType::step_end, step, what);
  event.exit_code = end.exit_code;
  event.seconds = end.seconds;
  event.cached = end.cached;
  log_.append(std::move(event));
}

void JobObserver::note(const std::string& text) {
  proto::Event event;
  event.text = text;
  log_.append(std::move(event));
}

}  // namespace ingot::pipeline
