#include "daemon/image/layer_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "daemon/base/strings.h"
#include "daemon/sys/rooted.h"

namespace ingot::image {

namespace {

using base::fail;
using base::fail_errno;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

tl::unexpected<Error> archive_failure(archive* from, const std::string& what) {
  const char* reason = archive_error_string(from);
  return fail(ErrorKind::invalid, what + ": " + (reason != nullptr ? reason : "unknown"));
}

// "./usr/bin/" as "usr/bin"; names with ".." never leave here.
Result<std::string> clean_name(const char* raw) {
  if (raw == nullptr) return fail(ErrorKind::invalid, "a layer has an entry without a name");
  std::string name;
  for (const auto& part : base::split(raw, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..")
      return fail(ErrorKind::denied, "a layer's entry \"" + base::printable(raw) + "\" leads out of it");
    name += (name.empty() ? "" : "/") + part;
  }
  return name;
}

// Whether any directory above `name` is a symlink in the unpacked tree: nothing is written through it. The kernel
// resolves it without following any.
Status make_parents(const sys::RootedDir& root, const std::string& name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string::npos) return {};
  const std::string parent = name.substr(0, slash);
  INGOT_CHECK(root.make_directories(parent));
  std::string so_far;
  for (const auto& part : base::split(parent, '/')) {
    so_far += (so_far.empty() ? "" : "/") + part;
    INGOT_TRY(auto status, root.status(so_far, false));
    if (S_ISDIR(status.st_mode)) continue;
    return fail(ErrorKind::denied, "a layer's entry \"" + base::printable(name) + "\" goes through a symlink");
  }
  return {};
}

Status apply_whiteout(const sys::fs::path& directory, const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : name.substr(0, slash);
  const std::string file = name.substr(slash == std::string::npos ? 0 : slash + 1);
  if (file == kOpaque) {
    if (setxattr((directory / parent).c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
      return fail_errno(errno, "cannot mark " + parent + " as opaque");
    }
    return {};
  }
  const sys::fs::path path = directory / parent / file.substr(kWhiteout.size());
  if (mknod(path.c_str(), S_IFCHR, makedev(0, 0)) != 0 && errno != EEXIST) {
    return fail_errno(errno, "cannot make a whiteout for " + name);
  }
  return {};
}

Status copy_data(archive* from, archive* to, const std::string& name) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (true) {
    int code = archive_read_data_block(from, &block, &size, &offset);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK) return archive_failure(from, "cannot read " + name + " from its layer");
    if (archive_write_data_block(to, block, size, offset) != ARCHIVE_OK) {
      return archive_failure(to, "cannot write " + name);
    }
  }
}

}  // namespace

Status unpack_layer(const sys::fs::path& archive_path, const sys::fs::path& directory) {
  INGOT_TRY(auto root, sys::RootedDir::open(directory));
  Archive from(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(from.get());
  archive_read_support_filter_all(from.get());
  archive_read_set_options(from.get(), "read_concatenated_archives");
  if (archive_read_open_filename(from.get(), archive_path.c_str(), 1 << 20) != ARCHIVE_OK) {
    return archive_failure(from.get(), "cannot read layer " + archive_path.string());
  }
  Archive to(archive_write_disk_new(), archive_write_free);
  archive_write_disk_set_options(to.get(), ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                               ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_UNLINK);
  archive_entry* entry = nullptr;
  while (true) {
    int code = archive_read_next_header(from.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
      return archive_failure(from.get(), "cannot read layer " + archive_path.string());
    }
    INGOT_TRY(std::string name, clean_name(archive_entry_pathname(entry)));
    if (name.empty()) continue;
    INGOT_CHECK(make_parents(root, name));
    if (name.substr(name.rfind('/') + 1).starts_with(kWhiteout)) {
      INGOT_CHECK(apply_whiteout(directory, name));
      continue;
    }
    archive_entry_copy_pathname(entry, (directory / name).c_str());
    if (archive_entry_hardlink(entry) != nullptr) {
      INGOT_TRY(std::string target, clean_name(archive_entry_hardlink(entry)));
      INGOT_CHECK(make_parents(root, target));
      archive_entry_copy_hardlink(entry, (directory / target).c_str());
    }
    if (archive_write_header(to.get(), entry) != ARCHIVE_OK) return archive_failure(to.get(), "cannot make " + name);
    if (archive_entry_size(entry) > 0 || archive_entry_size_is_set(entry) == 0) {
      INGOT_CHECK(copy_data(from.get(), to.get(), name));
    }
    if (archive_write_finish_entry(to.get()) != ARCHIVE_OK) return archive_failure(to.get(), "cannot finish " + name);
  }
  if (archive_write_close(to.get()) != ARCHIVE_OK) return archive_failure(to.get(), "cannot finish the layer");
  return {};
}

}  // namespace ingot::image
