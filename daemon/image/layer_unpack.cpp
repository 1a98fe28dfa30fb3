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
#include <set>
#include <vector>

#include "daemon/base/strings.h"
#include "daemon/sys/rooted.h"
#include "daemon/sys/utf8_names.h"

namespace ingot::image {

namespace {

using base::fail;
using base::fail_errno;
using sys::fs::path;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kWhiteoutMark = ".wh..wh.";  // begins the names that mean something by themselves
constexpr std::string_view kOpaque = ".wh..wh..opq";

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

tl::unexpected<Error> archive_failure(archive* from, const std::string& what) {
  const int number = archive_errno(from);
  if (number == ENOSPC || number == EDQUOT) return fail_errno(number, what);
  const char* reason = archive_error_string(from);
  return fail(ErrorKind::invalid, what + ": " + (reason != nullptr ? base::printable(reason) : "unknown"));
}

tl::unexpected<Error> refuse(const std::string& name, const std::string& why) {
  return fail(ErrorKind::denied, "a layer's entry \"" + base::printable(name) + "\" " + why);
}

// "./usr/bin/" as "usr/bin"; names with ".." never leave here.
Result<std::string> clean_name(const char* raw) {
  if (raw == nullptr) return fail(ErrorKind::invalid, "a layer has an entry without a name");
  if (*raw == '/') return refuse(raw, "is absolute");
  std::string name;
  for (const auto& part : base::split(raw, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse(raw, "leads out of it");
    name += (name.empty() ? "" : "/") + part;
  }
  return name;
}

std::string base_name(const std::string& name) {
  return name.substr(name.rfind('/') + 1);
}

// Attributes that overlayfs takes for its own would let a layer show what lies elsewhere.
void drop_overlay_attributes(archive_entry* entry) {
  std::vector<std::pair<std::string, std::string>> kept;
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    const std::string_view text(name);
    if (text.starts_with("trusted.overlay.") || text.starts_with("user.overlay.")) continue;
    kept.emplace_back(text, std::string(static_cast<const char*>(value), size));
  }
  archive_entry_xattr_clear(entry);
  for (const auto& [kept_name, bytes] : kept) {
    archive_entry_xattr_add_entry(entry, kept_name.c_str(), bytes.data(), bytes.size());
  }
}

class LayerUnpacker {
 public:
  LayerUnpacker(path archive, path directory, sys::RootedDir root, bool has_whiteouts, const sys::CancelToken& cancel)
      : archive_(std::move(archive)),
        directory_(std::move(directory)),
        root_(std::move(root)),
        has_whiteouts_(has_whiteouts),
        cancel_(cancel) {}

  Status run() {
    INGOT_CHECK(open());
    archive_entry* entry = nullptr;
    while (true) {
      if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
      const int code = archive_read_next_header(from_.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      // A warning tells of a name that is no UTF-8; it is kept as it is.
      if (code < ARCHIVE_WARN) return archive_failure(from_.get(), "cannot read layer " + archive_.string());
      INGOT_CHECK(take(entry));
    }
    if (archive_write_close(to_.get()) != ARCHIVE_OK) return archive_failure(to_.get(), "cannot finish the layer");
    return mark_replaced_directories();
  }

 private:
  Status open() {
    constexpr std::size_t kReadAtOnce = 1 << 20;
    archive_read_support_format_tar(from_.get());
    archive_read_support_format_empty(from_.get());
    // By name: "all" would also start programs for compressions that no layer has.
    archive_read_support_filter_gzip(from_.get());
    archive_read_support_filter_zstd(from_.get());
    archive_read_support_filter_bzip2(from_.get());
    archive_read_support_filter_xz(from_.get());
    if (archive_read_open_filename(from_.get(), archive_.c_str(), kReadAtOnce) != ARCHIVE_OK) {
      return archive_failure(from_.get(), "cannot read layer " + archive_.string());
    }
    archive_write_disk_set_options(to_.get(), ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                  ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_UNLINK);
    return {};
  }

  Status take(archive_entry* entry) {
    INGOT_TRY(const std::string name, clean_name(archive_entry_pathname(entry)));
    if (name.empty()) return set_root_attributes(entry);
    INGOT_CHECK(make_parents(name));
    if (has_whiteouts_ && base_name(name).starts_with(kWhiteout)) return apply_whiteout(name);
    return unpack(entry, name);
  }

  // Nothing is written through a symlink that the layer made before.
  Status make_parents(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) return {};
    const std::string parent = name.substr(0, slash);
    if (parent == safe_parent_) return {};
    for (std::size_t end = parent.find('/'); true; end = parent.find('/', end + 1)) {
      const std::string part = parent.substr(0, end);
      auto status = root_.status(part, false);
      if (status && S_ISCHR(status->st_mode) && whiteouts_.contains((directory_ / part).string())) {
        INGOT_CHECK(sys::remove_tree(directory_ / part));  // removed, and made anew by what lies in it
        status = root_.status(part, false);
      }
      if (!status && status.error().kind == ErrorKind::not_found) {
        INGOT_CHECK(root_.make_directories(part));
      } else if (!status) {
        return fail(status.error());
      } else if (!S_ISDIR(status->st_mode)) {
        return refuse(name, S_ISLNK(status->st_mode) ? "goes through a symlink" : "lies below what is no directory");
      }
      if (end == std::string::npos) break;
    }
    safe_parent_ = parent;
    return {};
  }

  Status apply_whiteout(const std::string& name) {
    const path parent = (directory_ / name).parent_path();
    const std::string file = base_name(name);
    if (file == kOpaque) return make_opaque(parent);
    if (file.starts_with(kWhiteoutMark)) return {};  // notes of another storage driver
    const std::string gone = file.substr(kWhiteout.size());
    if (gone.empty() || gone == "." || gone == "..") return refuse(name, "is a whiteout of nothing");
    whiteouts_.insert((parent / gone).string());
    if (mknod((parent / gone).c_str(), S_IFCHR, makedev(0, 0)) != 0 && errno != EEXIST) {
      return fail_errno(errno, "cannot make a whiteout for " + name);
    }
    return {};
  }

  static Status make_opaque(const path& directory) {
    if (setxattr(directory.c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0) return {};
    return fail_errno(errno, "cannot mark " + directory.string() + " as opaque");
  }

  // A directory that the layer removes and makes anew shows nothing of the one below it.
  Status mark_replaced_directories() const {
    for (const auto& name : whiteouts_) {
      struct stat status {};
      if (lstat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) INGOT_CHECK(make_opaque(name));
    }
    return {};
  }

  // What an earlier entry of the same name made; libarchive would write through it or refuse.
  Status clear_place(archive_entry* entry, const std::string& name) {
    auto status = root_.status(name, false);
    if (!status) return status.error().kind == ErrorKind::not_found ? Status{} : fail(status.error());
    if (S_ISDIR(status->st_mode) && archive_entry_filetype(entry) == AE_IFDIR) return {};
    safe_parent_.clear();
    return sys::remove_tree(directory_ / name);
  }

  Status unpack(archive_entry* entry, const std::string& name) {
    if (archive_entry_hardlink(entry) != nullptr) {
      INGOT_TRY(const std::string target, clean_name(archive_entry_hardlink(entry)));
      if (target.empty() || target == name) return refuse(name, "is a link to itself");
      INGOT_CHECK(make_parents(target));
      archive_entry_copy_hardlink(entry, (directory_ / target).c_str());
    }
    INGOT_CHECK(clear_place(entry, name));
    drop_overlay_attributes(entry);
    archive_entry_copy_pathname(entry, (directory_ / name).c_str());
    if (archive_write_header(to_.get(), entry) != ARCHIVE_OK) {
      return archive_failure(to_.get(), "cannot make " + name);
    }
    if (archive_entry_size(entry) > 0) INGOT_CHECK(copy_data(name));
    if (archive_write_finish_entry(to_.get()) != ARCHIVE_OK) {
      return archive_failure(to_.get(), "cannot finish " + name);
    }
    return {};
  }

  Status copy_data(const std::string& name) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (true) {
      const int code = archive_read_data_block(from_.get(), &block, &size, &offset);
      if (code == ARCHIVE_EOF) return {};
      if (code < ARCHIVE_WARN) return archive_failure(from_.get(), "cannot read " + name + " from its layer");
      if (archive_write_data_block(to_.get(), block, size, offset) < ARCHIVE_WARN) {
        return archive_failure(to_.get(), "cannot write " + name);
      }
      if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
    }
  }

  // "./": the root directory itself.
  Status set_root_attributes(archive_entry* entry) {
    if (archive_entry_filetype(entry) != AE_IFDIR) return refuse("/", "is no directory");
    const auto uid = static_cast<uid_t>(archive_entry_uid(entry));
    const auto gid = static_cast<gid_t>(archive_entry_gid(entry));
    if (chown(directory_.c_str(), uid, gid) != 0) return fail_errno(errno, "cannot set the owner of the root");
    if (chmod(directory_.c_str(), archive_entry_perm(entry) & 07777U) != 0) {
      return fail_errno(errno, "cannot set the mode of the root");
    }
    return {};
  }

  const path archive_;
  const path directory_;
  const sys::RootedDir root_;
  const bool has_whiteouts_;
  const sys::CancelToken& cancel_;
  Archive from_{archive_read_new(), archive_read_free};
  Archive to_{archive_write_disk_new(), archive_write_free};
  std::string safe_parent_;          // the last one that was found to be directories only
  std::set<std::string> whiteouts_;  // what the layer removes, by path on the disk
};

Status unpack_into(const path& archive, const path& directory, bool has_whiteouts, const sys::CancelToken& cancel) {
  INGOT_TRY(auto root, sys::RootedDir::open(directory));
  const sys::Utf8Names names;
  return LayerUnpacker(archive, directory, std::move(root), has_whiteouts, cancel).run();
}

}  // namespace

Status unpack_layer(const path& archive, const path& directory, const sys::CancelToken& cancel) {
  return unpack_into(archive, directory, true, cancel);
}

Status unpack_files(const path& archive, const path& directory, const sys::CancelToken& cancel) {
  return unpack_into(archive, directory, false, cancel);
}

}  // namespace ingot::image
