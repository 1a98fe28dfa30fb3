#include "client/fetch/remember_delivered.h"

#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "client/context/hash_cache.h"

namespace ingot::client {

void remember_delivered(int fd, const std::string& digest) {
  constexpr off_t kWorthIt = 64 << 20;
  constexpr std::chrono::milliseconds kTick{60};
  struct stat landed {};
  if (fstat(fd, &landed) != 0 || landed.st_size < kWorthIt) return;
  std::this_thread::sleep_for(kTick);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  HashCache cache(HashCache::default_file());
  cache.remember(landed, now, digest);  // what was written to it since gives it another time, and it is not found
  cache.save();
}

}  // namespace ingot::client
