#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::sys {

namespace fs = std::filesystem;

// Owns a descriptor. Every descriptor of the daemon is opened with O_CLOEXEC.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

Result<UniqueFd> open_file(const fs::path& path, int flags, unsigned mode = 0644);
Result<std::string> read_file(const fs::path& path, std::uint64_t limit = 64U << 20);
Status write_all(int fd, std::string_view bytes);
Status make_directories(const fs::path& path, unsigned mode = 0755);
Status sync_directory(const fs::path& path);
// rename(2) and fsync of both parents: after it returns the new name survives a power cut.
Status rename_durably(const fs::path& from, const fs::path& to);
// Removes a tree whatever its modes are; a tree that is not there is no error.
Status remove_tree(const fs::path& path);
// Bytes that an unprivileged writer could still use on the file system of `path`.
Result<std::uint64_t> free_space(const fs::path& path);

// A file that appears whole or not at all: written beside its destination, fsynced, renamed. Its destructor
// never commits.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const fs::path& destination, unsigned mode = 0644);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  int fd() const { return fd_.get(); }
  Status write(std::string_view bytes) { return write_all(fd_.get(), bytes); }
  Status commit();

 private:
  AtomicFile(UniqueFd fd, fs::path temporary, fs::path destination);
  UniqueFd fd_;
  fs::path temporary_;  // empty once committed
  fs::path destination_;
};

Status write_file_durably(const fs::path& path, std::string_view bytes, unsigned mode = 0644);

// An exclusive flock that lives as long as the object.
class FileLock {
 public:
  // Kind `conflict` when another process holds it.
  static Result<FileLock> acquire(const fs::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// A directory of its own that is removed with the object.
class TempDir {
 public:
  static Result<TempDir> create(const fs::path& parent, std::string_view prefix);
  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();
  const fs::path& path() const { return path_; }

 private:
  explicit TempDir(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace ingot::sys
