#include "daemon/sys/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"
#include "daemon/sys/unfinished_files.h"

namespace ingot::sys {

using base::fail_errno;

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
  constexpr std::size_t kUnique = 12;  // not built from the destination's name, which may have all of 255 bytes
  fs::path temporary = destination.parent_path() / (std::string(kUnfinishedPrefix) + base::random_id(kUnique));
  UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail_errno(errno, "cannot write " + destination.string());
  AtomicFile file(std::move(fd), std::move(temporary), destination);
  if (fchmod(file.fd(), mode) != 0) return fail_errno(errno, "cannot set the mode of " + destination.string());
  return file;
}

Status AtomicFile::write(std::string_view bytes) {
  auto written = write_all(fd_.get(), bytes);
  if (!written) return base::fail(base::with_context(written.error(), "while writing " + destination_.string()));
  return {};
}

Status AtomicFile::commit() {
  if (fsync(fd_.get()) != 0) return fail_errno(errno, "cannot sync " + destination_.string());
  if (rename(temporary_.c_str(), destination_.c_str()) != 0) {
    return fail_errno(errno, "cannot write " + destination_.string());
  }
  temporary_.clear();
  return sync_directory(destination_.has_parent_path() ? destination_.parent_path() : ".");
}

Status write_file_durably(const fs::path& path, std::string_view bytes, unsigned mode) {
  INGOT_TRY(auto file, AtomicFile::create(path, mode));
  INGOT_CHECK(file.write(bytes));
  return file.commit();
}

}  // namespace ingot::sys
