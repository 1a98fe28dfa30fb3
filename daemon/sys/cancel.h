#pragma once

#include <memory>

namespace ingot::sys {

class CancelSource;

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
  struct State;
  std::shared_ptr<State> state_;
};

// One switch that many blocking calls watch. Thread-safe; copies share the switch.
class CancelSource {
 public:
  CancelSource();
  // Thrown with `parent`, too.
  explicit CancelSource(CancelToken parent);
  void cancel();  // idempotent; wakes every poll() on a token's descriptor
  CancelToken token() const;

 private:
  std::shared_ptr<CancelToken::State> state_;
};

}  // namespace ingot::sys
