#include "daemon/sys/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

Result<FileLock> FileLock::acquire(const fs::path& path) {
  INGOT_TRY(auto fd, open_file(path, O_RDWR | O_CREAT, 0600));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    // The pid only serves the message below; a lock without it is as good.
    const std::string owner = std::to_string(getpid()) + "\n";
    if (ftruncate(fd.get(), 0) == 0) (void)write_all(fd.get(), owner);
    return FileLock(std::move(fd));
  }
  if (errno != EWOULDBLOCK) return base::fail_errno(errno, "cannot lock " + path.string());
  constexpr std::uint64_t kPidSize = 32;
  auto owner = read_file(path, kPidSize);
  const std::string pid(owner ? base::trim(*owner) : "");
  return base::fail(ErrorKind::conflict,
                    path.string() + " is locked by " + (pid.empty() ? "another process" : "process " + pid));
}

}  // namespace ingot::sys
