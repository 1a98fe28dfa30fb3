#include "daemon/sys/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "daemon/base/strings.h"

namespace ingot::sys {

using base::fail;
using base::fail_errno;

namespace {

// The directory that holds the name `path`, also for "name", "directory/" and "a//b".
fs::path holder_of(const fs::path& path) {
  const fs::path named = path.has_filename() ? path : path.parent_path();
  return named.has_parent_path() ? named.parent_path() : ".";
}

bool stands_as_directory(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<UniqueFd> open_file(const fs::path& path, int flags, unsigned mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return fail_errno(errno, "cannot open " + path.string());
  return fd;
}

Result<std::string> read_file(const fs::path& path, std::uint64_t limit) {
  INGOT_TRY(auto fd, open_file(path, O_RDONLY));
  std::string text;
  constexpr std::size_t kStep = 64 << 10;
  while (true) {
    const std::size_t had = text.size();
    text.resize(had + kStep);
    const ssize_t got = read(fd.get(), text.data() + had, kStep);
    const int reason = errno;
    text.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return text;
    if (got < 0 && reason != EINTR) return fail_errno(reason, "cannot read " + path.string());
    if (text.size() > limit) {
      return fail(ErrorKind::too_large, path.string() + " is larger than " + base::human_bytes(limit));
    }
  }
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      return fail_errno(reason, "cannot write " + name_of(fd));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status make_directories(const fs::path& path, unsigned mode) {
  if (path.empty() || mkdir(path.c_str(), mode) == 0) return {};
  int reason = errno;
  if (reason == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    INGOT_CHECK(make_directories(path.parent_path(), mode));
    if (mkdir(path.c_str(), mode) == 0) return {};
    reason = errno;
  }
  if (reason == EEXIST && stands_as_directory(path)) return {};
  if (reason == EEXIST) return fail(ErrorKind::conflict, path.string() + " is there and is no directory");
  return fail_errno(reason, "cannot make directory " + path.string());
}

Status sync_directory(const fs::path& path) {
  INGOT_TRY(auto fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return fail_errno(errno, "cannot sync directory " + path.string());
  return {};
}

Status rename_durably(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    return fail_errno(errno, "cannot rename " + from.string() + " to " + to.string());
  }
  INGOT_CHECK(sync_directory(holder_of(to)));
  if (holder_of(from) != holder_of(to)) INGOT_CHECK(sync_directory(holder_of(from)));
  return {};
}

std::uint64_t disk_bytes(std::uint64_t size) {
  constexpr std::uint64_t kBlock = 4096;
  return (size + kBlock - 1) / kBlock * kBlock;
}

Result<std::uint64_t> free_space(const fs::path& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) return fail_errno(errno, "cannot ask the free space of " + path.string());
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::vector<fs::path> left = {directory};
  while (!left.empty()) {
    std::error_code error;  // what goes meanwhile has no bytes any more
    fs::directory_iterator entry(left.back(), error);
    left.pop_back();
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      struct stat status {};
      if (lstat(entry->path().c_str(), &status) != 0) continue;
      if (S_ISREG(status.st_mode)) bytes += static_cast<std::uint64_t>(status.st_size);
      if (S_ISDIR(status.st_mode)) left.push_back(entry->path());
    }
  }
  return bytes;
}

Result<std::uint64_t> disk_size(const fs::path& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0)
    return fail_errno(errno, "cannot ask the size of the disk of " + path.string());
  return std::uint64_t{status.f_blocks} * status.f_frsize;
}

}  // namespace ingot::sys
