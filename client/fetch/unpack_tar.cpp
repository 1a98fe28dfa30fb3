#include "client/fetch/unpack_tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"
#include "daemon/sys/utf8_names.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

tl::unexpected<Error> archive_failure(archive* which, const std::string& what) {
  const char* reason = archive_error_string(which);
  const std::string text = what + ": " + (reason != nullptr ? base::printable(reason) : "unknown");
  if (archive_errno(which) > 0 && archive_errno(which) != EINVAL) {
    Error error = std::move(base::fail_errno(archive_errno(which), what).value());
    error.message = text;
    return fail(std::move(error));
  }
  return fail(ErrorKind::invalid, text);
}

tl::unexpected<Error> refuse(const std::string& name, const std::string& why) {
  return fail(ErrorKind::denied, "cannot unpack \"" + base::printable(name) + "\": " + why);
}

// Where a name of the archive lands below `root`.
Result<fs::path> place_of(const fs::path& root, const char* name) {
  if (name == nullptr) return fail(ErrorKind::invalid, "cannot unpack: an entry has no readable name");
  const fs::path path(name);
  if (path.is_absolute()) return refuse(name, "it is absolute");
  if (std::find(path.begin(), path.end(), "..") != path.end()) return refuse(name, "it leads out");
  return root / path;
}

Status prepare(archive_entry* entry, const fs::path& root) {
  INGOT_TRY(auto place, place_of(root, archive_entry_pathname(entry)));
  const char* hard_link = archive_entry_hardlink(entry);
  const auto type = archive_entry_filetype(entry);
  if (hard_link == nullptr && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK) {
    return refuse(archive_entry_pathname(entry), "it is no file, directory or link");
  }
  if (hard_link != nullptr) {
    INGOT_TRY(auto target, place_of(root, hard_link));
    archive_entry_copy_hardlink(entry, target.c_str());
  }
  archive_entry_copy_pathname(entry, place.c_str());
  return {};
}

Status copy_data(archive* from, archive* to, const std::string& name) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (true) {
    const int code = archive_read_data_block(from, &block, &size, &offset);
    if (code == ARCHIVE_EOF) return {};
    if (code < ARCHIVE_WARN) return archive_failure(from, "cannot read " + name);
    if (archive_write_data_block(to, block, size, offset) < ARCHIVE_WARN) {
      return archive_failure(to, "cannot write " + name);
    }
  }
}

}  // namespace

Status unpack_tar(const fs::path& archive_path, const fs::path& directory) {
  const sys::Utf8Names names;
  INGOT_CHECK(sys::make_directories(directory, 0755));
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error) return base::fail_errno(error.value(), "cannot find " + directory.string());
  Archive from(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(from.get());
  constexpr std::size_t kReadAtOnce = 1 << 20;
  if (archive_read_open_filename(from.get(), archive_path.c_str(), kReadAtOnce) != ARCHIVE_OK) {
    return archive_failure(from.get(), "cannot read " + archive_path.string());
  }
  Archive to(archive_write_disk_new(), archive_write_free);
  archive_write_disk_set_options(to.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                               ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_UNLINK);
  archive_entry* entry = nullptr;
  while (true) {
    const int code = archive_read_next_header(from.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    // A warning tells of a name that is no UTF-8; it is kept as it is.
    if (code < ARCHIVE_WARN) return archive_failure(from.get(), "cannot read " + archive_path.string());
    INGOT_CHECK(prepare(entry, root));
    const std::string name = archive_entry_pathname(entry);
    if (archive_write_header(to.get(), entry) < ARCHIVE_WARN) return archive_failure(to.get(), "cannot make " + name);
    if (archive_entry_size(entry) > 0) INGOT_CHECK(copy_data(from.get(), to.get(), name));
  }
  if (archive_write_close(to.get()) != ARCHIVE_OK) return archive_failure(to.get(), "cannot unpack");
  return {};
}

}  // namespace ingot::client
