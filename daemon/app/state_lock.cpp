#include "daemon/app/state_lock.h"

#include <chrono>
#include <thread>

namespace ingot::app {

Result<sys::FileLock> lock_state(const std::filesystem::path& state) {
  constexpr int kTries = 20;
  constexpr std::chrono::milliseconds kMoment(50);
  auto lock = sys::FileLock::acquire(state / "lock");
  for (int i = 1; i < kTries && !lock && lock.error().kind == ErrorKind::conflict; ++i) {
    std::this_thread::sleep_for(kMoment);
    lock = sys::FileLock::acquire(state / "lock");
  }
  return lock;
}

}  // namespace ingot::app
