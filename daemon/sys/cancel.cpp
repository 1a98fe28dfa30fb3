#include "daemon/sys/cancel.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace ingot::sys {

struct CancelSource::State {
  std::atomic<bool> canceled{false};
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (fd >= 0) close(fd);
  }
};

CancelSource::CancelSource() : state_(std::make_shared<State>()) {}

void CancelSource::cancel() {
  if (state_->canceled.exchange(true)) return;
  // Nobody reads the counter, so the descriptor stays readable for every poll() to come.
  const std::uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(state_->fd, &one, sizeof one);
}

CancelToken CancelSource::token() const {
  CancelToken token;
  token.state_ = state_;
  return token;
}

bool CancelToken::canceled() const {
  return state_ && state_->canceled.load();
}
int CancelToken::fd() const {
  return state_ ? state_->fd : -1;
}

}  // namespace ingot::sys
