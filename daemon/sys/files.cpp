#include "daemon/sys/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::sys {

using base::fail;
using base::fail_errno;

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  int fd = fd_;
  fd_ = -1;
  return fd;
}

void UniqueFd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

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
    ssize_t got = read(fd.get(), text.data() + had, kStep);
    if (got < 0 && errno == EINTR)
      got = 0;
    else if (got < 0)
      return fail_errno(errno, "cannot read " + path.string());
    else if (got == 0) {
      text.resize(had);
      return text;
    }
    text.resize(had + static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return fail(ErrorKind::too_large, path.string() + " is larger than " + base::human_bytes(limit));
    }
  }
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status make_directories(const fs::path& path, unsigned mode) {
  if (path.empty() || mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
    return fail(ErrorKind::conflict, path.string() + " is there and is no directory");
  }
  if (errno != ENOENT || path.parent_path() == path) return fail_errno(errno, "cannot make directory " + path.string());
  INGOT_CHECK(make_directories(path.parent_path(), mode));
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return fail_errno(errno, "cannot make directory " + path.string());
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
  INGOT_CHECK(sync_directory(to.parent_path()));
  if (from.parent_path() != to.parent_path()) INGOT_CHECK(sync_directory(from.parent_path()));
  return {};
}

Result<std::uint64_t> free_space(const fs::path& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) return fail_errno(errno, "cannot ask the free space of " + path.string());
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

AtomicFile::AtomicFile(UniqueFd fd, fs::path temporary, fs::path destination)
    : fd_(std::move(fd)), temporary_(std::move(temporary)), destination_(std::move(destination)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : fd_(std::move(other.fd_)), temporary_(std::move(other.temporary_)), destination_(std::move(other.destination_)) {
  other.temporary_.clear();
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const fs::path& destination, unsigned mode) {
  fs::path temporary = destination.parent_path() / ("." + destination.filename().string() + "." + base::random_id(8));
  INGOT_TRY(auto fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
  return AtomicFile(std::move(fd), std::move(temporary), destination);
}

Status AtomicFile::commit() {
  if (fsync(fd_.get()) != 0) return fail_errno(errno, "cannot sync " + destination_.string());
  INGOT_CHECK(rename_durably(temporary_, destination_));
  temporary_.clear();
  return {};
}

Status write_file_durably(const fs::path& path, std::string_view bytes, unsigned mode) {
  INGOT_TRY(auto file, AtomicFile::create(path, mode));
  INGOT_CHECK(file.write(bytes));
  return file.commit();
}

Result<FileLock> FileLock::acquire(const fs::path& path) {
  INGOT_TRY(auto fd, open_file(path, O_RDWR | O_CREAT, 0600));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
  if (errno == EWOULDBLOCK) return fail(ErrorKind::conflict, path.string() + " is locked by another process");
  return fail_errno(errno, "cannot lock " + path.string());
}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  if (!path_.empty()) (void)remove_tree(path_);
}

Result<TempDir> TempDir::create(const fs::path& parent, std::string_view prefix) {
  std::string pattern = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) return fail_errno(errno, "cannot make a directory in " + parent.string());
  return TempDir(fs::path(pattern));
}

}  // namespace ingot::sys
