#include "client/fetch/remember_delivered.h"

#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "client/context/hash_cache.h"

namespace ingot::client {

// The file gets a time of its own: the kernel's clock for files ticks slowly, so that whoever writes to it from now on
// gives it another.
RememberDelivered::RememberDelivered(int fd) {
  constexpr off_t kWorthIt = 64 << 20;
  struct stat status {};
  if (fstat(fd, &status) != 0 || status.st_size < kWorthIt) return;
  clock_gettime(CLOCK_REALTIME, &written_);
  const timespec times[2] = {{0, UTIME_OMIT}, written_};
  if (futimens(fd, times) == 0) fd_ = fd;
}

void RememberDelivered::landed(const std::string& digest) {
  constexpr std::chrono::milliseconds kTick{60};
  struct stat status {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) return;
  if (status.st_mtim.tv_sec != written_.tv_sec || status.st_mtim.tv_nsec != written_.tv_nsec) return;
  std::this_thread::sleep_for(kTick);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  HashCache cache(HashCache::default_file());
  cache.remember(status, now, digest);
  cache.save();
}

}  // namespace ingot::client
