#include "daemon/sys/cancel.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>

#include "daemon/sys/fd.h"

namespace ingot::sys {

// The descriptor is made when it is first asked for: a thousand queued jobs hold a switch each, and few of them are
// ever polled.
struct CancelToken::State {
  std::atomic<bool> canceled{false};
  CancelToken parent;
  std::mutex mutex;
  UniqueFd event;   // under mutex
  UniqueFd either;  // under mutex; readable with `event` or with the parent's descriptor

  bool is_canceled() const { return canceled.load() || parent.canceled(); }

  void wake() const {
    // Nobody reads the counter, so the descriptor stays readable for every poll() to come.
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(event.get(), &one, sizeof one);
  }

  // Where that cannot be, there is no descriptor.
  void watch_both() {
    either = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    for (const int fd : {event.get(), parent.fd()}) {
      epoll_event wanted{};
      wanted.events = EPOLLIN;
      if (either && epoll_ctl(either.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) either.reset();
    }
  }
};

CancelSource::CancelSource() : state_(std::make_shared<CancelToken::State>()) {}

CancelSource::CancelSource(CancelToken parent) : CancelSource() {
  state_->parent = std::move(parent);
}

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
  return state_ && state_->is_canceled();
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
    if (state_->event && state_->parent.can_cancel()) state_->watch_both();
  }
  return state_->parent.can_cancel() ? state_->either.get() : state_->event.get();
}

}  // namespace ingot::sys
