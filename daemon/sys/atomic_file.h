#pragma once

#include <filesystem>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/fd.h"

namespace ingot::sys {

// A file that appears whole or not at all: written beside its destination, fsynced, renamed. Its destructor never
// commits.
class AtomicFile {
 public:
  // `mode` is the file's mode to the bit, whatever the umask is.
  static Result<AtomicFile> create(const std::filesystem::path& destination, unsigned mode = 0644);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  int fd() const { return fd_.get(); }
  Status write(std::string_view bytes);
  Status commit();

 private:
  AtomicFile(UniqueFd fd, std::filesystem::path temporary, std::filesystem::path destination);
  UniqueFd fd_;
  std::filesystem::path temporary_;  // empty once committed
  std::filesystem::path destination_;
};

Status write_file_durably(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

}  // namespace ingot::sys
