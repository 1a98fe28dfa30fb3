#include "client/context/hash_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iterator>
#include <mutex>
#include <optional>
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

// Those who hash one project at the same time wait for each other where that is worth it: the others then find what the
// first found.
class Hashing {
 public:
  Hashing(const fs::path& root, HashCache& cache, proto::ContextManifest& manifest)
      : root_(root), cache_(cache), entries_(manifest.entries) {}

  Status run() {
    std::vector<std::size_t> files;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].type == proto::EntryType::file) files.push_back(i);
    }
    constexpr std::size_t kFilesWorthThreads = 16;
    auto unknown = look_up(files, files.size() >= kFilesWorthThreads);
    if (!unknown.empty()) INGOT_CHECK(hash(std::move(unknown), files.size() >= kFilesWorthThreads));
    cache_.save();
    return {};
  }

 private:
  static constexpr std::uint64_t kBytesWorthThreads = 4U << 20;

  std::vector<std::size_t> look_up(const std::vector<std::size_t>& files, bool in_parallel) {
    std::vector<char> is_known(entries_.size());
    // Nothing fails here: what cannot be looked at is told by who opens it.
    (void)each(files, in_parallel, [&](std::size_t i) -> Status {
      struct stat status {};
      const fs::path path = root_ / entries_[i].path;
      if (lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
        is_known[i] = use_known(entries_[i], status) ? 1 : 0;
      return {};
    });
    std::vector<std::size_t> unknown;
    std::copy_if(files.begin(), files.end(), std::back_inserter(unknown), [&](std::size_t i) { return !is_known[i]; });
    return unknown;
  }

  Status hash(std::vector<std::size_t> files, bool are_many) {
    std::uint64_t bytes = 0;
    for (const auto i : files) bytes += entries_[i].size;
    const auto alone = wait_for_others(bytes);
    // The largest first: then all threads end at about the same time.
    std::stable_sort(files.begin(), files.end(),
                     [&](std::size_t a, std::size_t b) { return entries_[a].size > entries_[b].size; });
    INGOT_CHECK(
        each(files, are_many || bytes >= kBytesWorthThreads, [&](std::size_t i) { return hash_one(entries_[i]); }));
    cache_.save();  // before the others go on
    return {};
  }

  // For about as long as hashing may take on a slow disk, never for ever.
  std::optional<NumberedLock> wait_for_others(std::uint64_t bytes) {
    constexpr std::uint64_t kWorthIt = 1U << 20;
    constexpr std::uint64_t kBytesAMillisecond = 100'000;
    constexpr std::uint64_t kLongest = 30'000;
    if (bytes < kWorthIt) return std::nullopt;
    const std::chrono::milliseconds patience(std::min(500 + bytes / kBytesAMillisecond, kLongest));
    auto alone = cache_.lock(root_, patience);
    cache_.reread();
    return alone;
  }

  bool use_known(proto::ManifestEntry& entry, const struct stat& status) {
    auto known = cache_.find(status);
    if (!known) return false;
    entry.size = static_cast<std::uint64_t>(status.st_size);
    entry.digest = *known;
    return true;
  }

  Status hash_one(proto::ManifestEntry& entry) {
    const fs::path path = root_ / entry.path;
    const std::string name = base::printable(path.string());
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    // O_NONBLOCK: a pipe that took the file's name since must not hold us.
    INGOT_TRY(auto fd, sys::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat before {};
    if (fstat(fd.get(), &before) != 0) return fail_errno(errno, "cannot look at " + name);
    if (!S_ISREG(before.st_mode)) return fail(ErrorKind::conflict, name + " changed while it was read", "build again");
    if (use_known(entry, before)) return {};
    base::Hasher hasher;
    INGOT_TRY(entry.size, hash_to_end(fd.get(), name, hasher));
    entry.digest = hasher.finish().str();
    // A file that was written to meanwhile has another time now, so that what is remembered here is never found.
    cache_.remember(before, now, entry.digest);
    return {};
  }

  // Of several failures the first in the manifest's order is told.
  template <typename Work>
  Status each(const std::vector<std::size_t>& files, bool in_parallel, const Work& work) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;  // guards failed_at and failed
    std::size_t failed_at = entries_.size();
    Status failed;
    auto take_some = [&] {
      for (std::size_t at = next++; at < files.size(); at = next++) {
        auto done = work(files[at]);
        if (done) continue;
        std::lock_guard lock(mutex);
        if (files[at] < failed_at) failed = done;
        failed_at = std::min(failed_at, files[at]);
        return;
      }
    };
    constexpr unsigned kMostThreads = 4;
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    const unsigned more = in_parallel ? std::min(kMostThreads, processors) - 1 : 0;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < more; ++i) threads.emplace_back(take_some);
    take_some();
    for (auto& thread : threads) thread.join();
    return failed;
  }

  const fs::path& root_;
  HashCache& cache_;
  std::vector<proto::ManifestEntry>& entries_;
};

}  // namespace

Status hash_files(const fs::path& root, HashCache& cache, proto::ContextManifest& manifest) {
  return Hashing(root, cache, manifest).run();
}

}  // namespace ingot::client
