#include "daemon/store/file_bytes.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

#include "daemon/sys/files.h"

namespace ingot::store {

Status read_bytes(int from, const std::string& what, const std::function<Status(std::string_view)>& sink) {
  constexpr std::size_t kPiece = 1 << 20;
  thread_local std::vector<char> buffer(kPiece);  // one a thread, not one a file
  while (true) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, what);
    if (got == 0) return {};
    INGOT_CHECK(sink({buffer.data(), static_cast<std::size_t>(got)}));
  }
}

Status copy_bytes(int from, int to, const std::string& what) {
  constexpr std::size_t kStep = 64U << 20;
  while (true) {
    const ssize_t copied = copy_file_range(from, nullptr, to, nullptr, kStep, 0);
    if (copied > 0) continue;
    // Nothing copied is the end of the file, or a file system that says so of every file.
    if (copied == 0 || errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) break;
    if (errno != EINTR) return base::fail_errno(errno, what);
  }
  return read_bytes(from, what, [&](std::string_view bytes) -> Status {
    auto written = sys::write_all(to, bytes);
    if (written) return {};
    Error error = written.error();
    error.message = what + ": " + error.message;
    return base::fail(std::move(error));
  });
}

}  // namespace ingot::store
