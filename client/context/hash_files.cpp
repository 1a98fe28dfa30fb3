#include "client/context/hash_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

Result<std::uint64_t> hash_to_end(int fd, const std::string& name, base::Hasher& hasher) {
  constexpr std::size_t kBlock = 1 << 20;
  std::vector<char> buffer(kBlock);
  std::uint64_t size = 0;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read " + name);
    if (got == 0) return size;
    hasher.update(buffer.data(), static_cast<std::size_t>(got));
    size += static_cast<std::uint64_t>(got);
  }
}

Status hash_file(const fs::path& root, HashCache& cache, proto::ManifestEntry& entry) {
  const fs::path path = root / entry.path;
  const std::string name = base::printable(path.string());
  const std::time_t now = std::time(nullptr);
  // O_NONBLOCK: a pipe that took the file's name since must not hold us.
  INGOT_TRY(auto fd, sys::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat before {};
  if (fstat(fd.get(), &before) != 0) return fail_errno(errno, "cannot look at " + name);
  if (!S_ISREG(before.st_mode)) return fail(ErrorKind::conflict, name + " changed while it was read", "build again");
  entry.size = static_cast<std::uint64_t>(before.st_size);
  if (auto known = cache.find(path, before)) {
    entry.digest = *known;
    return {};
  }
  base::Hasher hasher;
  INGOT_TRY(entry.size, hash_to_end(fd.get(), name, hasher));
  entry.digest = hasher.finish().str();
  // A file that was written to meanwhile has another time now, so that what is remembered here is never found.
  cache.remember(path, before, now, entry.digest);
  return {};
}

}  // namespace

Status hash_files(const fs::path& root, HashCache& cache, proto::ContextManifest& manifest) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards failed_at and failed
  std::size_t failed_at = manifest.entries.size();
  Status failed;
  auto work = [&] {
    for (std::size_t i = next++; i < manifest.entries.size(); i = next++) {
      auto& entry = manifest.entries[i];
      if (entry.type != proto::EntryType::file) continue;
      auto hashed = hash_file(root, cache, entry);
      if (hashed) continue;
      std::lock_guard lock(mutex);
      if (i < failed_at) failed = hashed;
      failed_at = std::min(failed_at, i);
      return;
    }
  };
  constexpr std::size_t kWorthThreads = 16;  // files
  constexpr unsigned kMostThreads = 4;
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned more = manifest.entries.size() < kWorthThreads ? 0 : std::min(kMostThreads, processors) - 1;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < more; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  return failed;
}

}  // namespace ingot::client
