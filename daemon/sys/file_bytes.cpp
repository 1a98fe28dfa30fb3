#include "daemon/sys/file_bytes.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

// The part of a copy that is reported at once, and after which it can be watched.
constexpr std::size_t kStep = 8U << 20;

bool cannot(int reason) {
  return reason == EXDEV || reason == EINVAL || reason == EOPNOTSUPP || reason == ENOSYS;
}

}  // namespace

Status read_bytes(int from, const std::string& what, const std::function<Status(std::string_view)>& sink) {
  constexpr std::size_t kPiece = 256 << 10;
  thread_local std::vector<char> buffer(kPiece);  // one a thread, not one a file
  while (true) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, what);
    if (got == 0) return {};
    INGOT_CHECK(sink({buffer.data(), static_cast<std::size_t>(got)}));
  }
}

Status copy_range(int from, int to, std::int64_t begin, std::int64_t end, const std::string& what) {
  loff_t in = begin;
  loff_t out = begin;
  while (in < end) {
    const ssize_t size = copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - in), 0);
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size < 0 && !cannot(errno)) return base::fail_errno(errno, what);
    break;
  }
  thread_local std::vector<char> buffer(256 << 10);
  while (in < end) {
    const ssize_t size = pread(from, buffer.data(), std::min<std::size_t>(buffer.size(), end - in), in);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::fail_errno(errno, what);
    if (size == 0) return {};  // it became shorter
    for (ssize_t done = 0; done < size;) {
      const ssize_t written = pwrite(to, buffer.data() + done, static_cast<std::size_t>(size - done), in + done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return base::fail_errno(errno, what);
      done += written;
    }
    in += size;
  }
  return {};
}

Status copy_bytes(int from, int to, const std::string& what, const std::function<void(std::uint64_t)>& copied) {
  // Nothing copied is the end of the file, or a file system that says so of every file: then the next way is tried.
  for (auto* copy : {+[](int in, int out) { return copy_file_range(in, nullptr, out, nullptr, kStep, 0); },
                     +[](int in, int out) { return sendfile(out, in, nullptr, kStep); }}) {
    while (true) {
      const ssize_t size = copy(from, to);
      if (size > 0 && copied) copied(static_cast<std::uint64_t>(size));
      if (size > 0 || (size < 0 && errno == EINTR)) continue;
      if (size == 0 || cannot(errno)) break;
      return base::fail_errno(errno, what);
    }
  }
  return read_bytes(from, what, [&](std::string_view bytes) -> Status {
    auto written = write_all(to, bytes);
    if (written && copied) copied(bytes.size());
    if (written) return {};
    Error error = written.error();
    error.message = what + ": " + error.message;
    return base::fail(std::move(error));
  });
}

Status copy_content(int from, int to, std::uint64_t size, const std::string& what) {
  struct stat status {};
  const bool has_holes = fstat(from, &status) == 0 && static_cast<std::uint64_t>(status.st_blocks) * 512 + 4096 < size;
  if (!has_holes) return copy_bytes(from, to, what);
  if (ftruncate(to, static_cast<off_t>(size)) != 0) return base::fail_errno(errno, what);
  off_t at = 0;
  while (true) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0) return errno == ENXIO ? Status() : base::fail_errno(errno, what);
    const off_t end = lseek(from, data, SEEK_HOLE);
    if (end < 0) return base::fail_errno(errno, what);
    INGOT_CHECK(copy_range(from, to, data, end, what));
    at = end;
  }
}

}  // namespace ingot::sys
