#include "tests/crash/faults.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <limits>

namespace ingot::test::faults {

namespace {

constexpr long kNever = std::numeric_limits<long>::max();

std::atomic<long> made{0};
std::atomic<long> crash_call{kNever};
std::atomic<Moment> crash_moment{Moment::before};
std::atomic<long> full_from{kNever};
std::atomic<long> full_until{kNever};

void reset() {
  crash_call = kNever;
  full_from = kNever;
  made = 0;
}

// One call that changes the disk. `room`: it needs some.
class Call {
 public:
  explicit Call(bool room) : number_(++made), full_(room && number_ >= full_from && number_ < full_until) {
    if (number_ == crash_call && crash_moment == Moment::before) raise(SIGKILL);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (number_ == crash_call) raise(SIGKILL);
  }
  bool no_room() const {
    if (full_) errno = ENOSPC;
    return full_;
  }
  // A disk fills in the midst of a write.
  bool is_torn() const { return number_ == full_from || (number_ == crash_call && crash_moment == Moment::amidst); }

 private:
  long number_;
  bool full_;
};

int opened(int directory, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) == 0) return static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
  const Call call(faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0);
  return call.no_room() ? -1 : static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
}

// What goes to the terminal is not of the disk.
bool is_counted(int fd) {
  return fd > STDERR_FILENO;
}

template <typename Write>
ssize_t written(int fd, size_t size, Write write) {
  if (!is_counted(fd)) return write(size);
  const Call call(true);
  if (call.is_torn() && size > 1) return write(size / 2);
  return call.no_room() ? -1 : write(size);
}

template <typename Change>
int changed(bool room, Change change) {
  const Call call(room);
  return call.no_room() ? -1 : static_cast<int>(change());
}

}  // namespace

void crash_at(long call, Moment moment) {
  reset();
  crash_moment = moment;
  crash_call = call;
}

void fill_disk_at(long call, long calls) {
  reset();
  full_until = calls > kNever - call ? kNever : call + calls;
  full_from = call;
}

void end() {
  reset();
}

long calls() {
  return made;
}

}  // namespace ingot::test::faults

using namespace ingot::test::faults;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(directory, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  return written(fd, size, [&](size_t part) { return syscall(SYS_write, fd, bytes, part); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return written(fd, size, [&](size_t part) { return syscall(SYS_pwrite64, fd, bytes, part, offset); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return written(fd, size, [&](size_t part) { return syscall(SYS_pwrite64, fd, bytes, part, offset); });
}

// A directory may need a block more for a name.
int rename(const char* from, const char* to) noexcept {
  return changed(faccessat(AT_FDCWD, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0,
                 [&] { return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); });
}

int link(const char* from, const char* to) noexcept {
  return changed(true, [&] { return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); });
}

int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) noexcept {
  return changed(true, [&] { return syscall(SYS_linkat, from_directory, from, to_directory, to, flags); });
}

int unlink(const char* path) noexcept {
  return changed(false, [&] { return syscall(SYS_unlinkat, AT_FDCWD, path, 0); });
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  return changed(false, [&] { return syscall(SYS_unlinkat, directory, path, flags); });
}

int remove(const char* path) noexcept {
  return changed(false, [&]() -> long {
    if (syscall(SYS_unlinkat, AT_FDCWD, path, 0) == 0) return 0;
    return errno == EISDIR ? syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR) : -1;
  });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return changed(true, [&] { return syscall(SYS_mkdirat, AT_FDCWD, path, mode); });
}

int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  return changed(true, [&] { return syscall(SYS_mkdirat, directory, path, mode); });
}

char* mkdtemp(char* path) noexcept {
  static std::atomic<unsigned> number{static_cast<unsigned>(getpid()) << 8U};
  const Call call(true);
  if (call.no_room()) return nullptr;
  const size_t from = strlen(path) - 6;
  while (true) {
    char name[7];
    snprintf(name, sizeof name, "%06x", ++number % 0xffffff);
    memcpy(path + from, name, 6);
    if (syscall(SYS_mkdirat, AT_FDCWD, path, 0700) == 0) return path;
    if (errno != EEXIST) return nullptr;
  }
}

int ftruncate(int fd, off_t size) noexcept {
  return changed(false, [&] { return syscall(SYS_ftruncate, fd, size); });
}

int ftruncate64(int fd, off64_t size) noexcept {
  return changed(false, [&] { return syscall(SYS_ftruncate, fd, size); });
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return changed(true, [&] { return syscall(SYS_fallocate, fd, mode, offset, size); });
}

int fsync(int fd) {
  return changed(false, [&] { return syscall(SYS_fsync, fd); });
}

int fdatasync(int fd) {
  return changed(false, [&] { return syscall(SYS_fdatasync, fd); });
}

}  // extern "C"
