#include "daemon/sys/cancel.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>

#include "daemon/sys/fd.h"

namespace ingot::sys {

// The descriptor is made when it is first asked for: a thousand queued jobs hold a switch each, and few of them are
// ever polled.
struct CancelSource::State {
  std::atomic<bool> canceled{false};
  std::mutex mutex;
  UniqueFd event;  // under mutex

  void wake() const {
    // Nobody reads the counter, so the descriptor stays readable for every poll() to come.
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(event.get(), &one, sizeof one);
  }
};

CancelSource::CancelSource() : state_(std::make_shared<State>()) {}

void CancelSource::cancel() {
  if (state_->canceled.exchange(true)) return;
  const std::lock_guard lock(state_->mutex);
  if (state_->event) state_->wake();
}

CancelToken CancelSource::token() const {
  CancelToken token;
  token.state_ = state_;
  return token;
}

bool CancelToken::canceled() const {
  return state_ && state_->canceled.load();
}

bool CancelToken::can_cancel() const {
  return state_ != nullptr;
}

int CancelToken::fd() const {
  if (!state_) return -1;
  const std::lock_guard lock(state_->mutex);
  if (!state_->event) {
    state_->event = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (state_->event && state_->canceled.load()) state_->wake();
  }
  return state_->event.get();
}

}  // namespace ingot::sys
