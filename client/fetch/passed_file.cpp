#include "client/fetch/passed_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/base/checksum.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::client {

namespace {

// The checksum of a file that still grows, up to where it is known to be written.
class FollowingChecksum {
 public:
  explicit FollowingChecksum(int fd) : fd_(fd), thread_([this] { follow(); }) {}
  ~FollowingChecksum() { end(); }
  FollowingChecksum(const FollowingChecksum&) = delete;
  FollowingChecksum& operator=(const FollowingChecksum&) = delete;

  void grew(std::uint64_t bytes) {
    {
      std::lock_guard lock(mutex_);
      written_ += bytes;
    }
    changed_.notify_all();
  }
  Result<std::string> finish() {
    end();
    if (reason_ != 0) return base::fail_errno(reason_, "cannot read what was just written");
    return checksum_.finish();
  }

 private:
  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  void follow() {
    std::uint64_t summed = 0;
    while (const std::uint64_t known = wait_for_more(summed)) {
      summed = sum(summed, known);
      if (reason_ != 0) return;
    }
  }
  // Up to where the file is written; 0 once all of it is summed.
  std::uint64_t wait_for_more(std::uint64_t summed) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return written_ > summed || ended_; });
    return written_ > summed ? written_ : 0;
  }
  std::uint64_t sum(std::uint64_t from, std::uint64_t to) {
    while (from < to) {
      const ssize_t got =
          pread(fd_, buffer_.data(), std::min<std::uint64_t>(buffer_.size(), to - from), static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        reason_ = got < 0 ? errno : EIO;
        return from;
      }
      checksum_.update({buffer_.data(), static_cast<std::size_t>(got)});
      from += static_cast<std::uint64_t>(got);
    }
    return from;
  }

  const int fd_;
  std::mutex mutex_;  // guards the next three
  std::condition_variable changed_;
  std::uint64_t written_ = 0;
  bool ended_ = false;
  // The thread's, until it has ended.
  std::vector<char> buffer_ = std::vector<char>(128U << 10);  // stays in the processor's cache
  base::Checksum checksum_;
  int reason_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::string> copy_passed_file(int from, int to, const std::function<void(std::uint64_t)>& copied) {
  FollowingChecksum checksum(to);
  INGOT_CHECK(sys::copy_bytes(from, to, "cannot write the artifact", [&](std::uint64_t bytes) {
    checksum.grew(bytes);
    copied(bytes);
  }));
  return checksum.finish();
}

}  // namespace ingot::client
