#pragma once

#include <memory>

namespace ingot::sys {

class CancelToken;

// One switch that many blocking calls watch. Thread-safe; copies share the switch.
class CancelSource {
 public:
  CancelSource();
  void cancel();  // idempotent; wakes every poll() on a token's descriptor
  CancelToken token() const;

 private:
  friend class CancelToken;
  struct State;
  std::shared_ptr<State> state_;
};

class CancelToken {
 public:
  CancelToken() = default;  // never canceled
  bool canceled() const;
  bool can_cancel() const;
  // Readable once canceled, so that a poll() loop can include it. -1 for a token that never cancels, and when the
  // process has no descriptor left: then canceled() must be asked from time to time.
  int fd() const;

 private:
  friend class CancelSource;
  std::shared_ptr<CancelSource::State> state_;
};

}  // namespace ingot::sys
