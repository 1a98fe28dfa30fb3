#include "daemon/store/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <vector>

#include "daemon/base/strings.h"
#include "daemon/store/copy_target.h"
#include "daemon/sys/directory_names.h"
#include "daemon/sys/file_bytes.h"
#include "daemon/sys/utf8_names.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;
using ArchiveEntry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

constexpr int kDeepest = 256;  // levels: each holds a descriptor

// Capabilities, and what users attached; not what belongs to a host, as labels and overlayfs' own marks do.
void add_attributes(archive_entry* entry, int fd) {
  std::vector<char> list(64 << 10);
  const ssize_t size = flistxattr(fd, list.data(), list.size());
  if (size <= 0) return;
  std::vector<std::string> names = base::split({list.data(), static_cast<std::size_t>(size)}, '\0');
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    if (name != "security.capability" && !name.starts_with("user.")) continue;
    std::vector<char> value(64 << 10);
    const ssize_t length = fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (length >= 0) {
      archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), static_cast<std::size_t>(length));
    }
  }
}

class TarWriter {
 public:
  TarWriter(const TarOptions& options, TarSink& sink)
      : options_(options), sink_(sink), archive_(archive_write_new(), archive_write_free) {
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_set_options(archive_.get(), "xattrheader=SCHILY");
    archive_write_set_bytes_per_block(archive_.get(), 0);  // each piece at once: a file's content comes by itself
    archive_write_open(archive_.get(), this, nullptr, &TarWriter::receive, nullptr);
  }

  // `fd` is the directory; `prefix` its name in the archive with a trailing slash, "" at the top.
  Status add_contents(int fd, const std::string& prefix, int depth) {
    if (depth > kDeepest) {
      return fail(ErrorKind::invalid, "cannot pack " + prefix.substr(0, 80) + "...: more than " +
                                          std::to_string(kDeepest) + " directories are inside of each other");
    }
    INGOT_TRY(auto names, sys::names_in(fd, prefix));
    for (const auto& name : names) INGOT_CHECK(add(fd, name, prefix + name, depth));
    return {};
  }

  Status close() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("the end");
    return sink_status_;
  }

 private:
  static la_ssize_t receive(archive* /*archive*/, void* self, const void* bytes, size_t size) {
    auto* writer = static_cast<TarWriter*>(self);
    // A failure is told by sink_status_ alone: libarchive would not give back its memory after one of its own.
    if (writer->sink_status_) writer->sink_status_ = writer->sink_.write({static_cast<const char*>(bytes), size});
    return static_cast<la_ssize_t>(size);
  }

  tl::unexpected<Error> failure(const std::string& name) {
    const char* reason = archive_error_string(archive_.get());
    return fail(ErrorKind::internal, "cannot pack " + name + ": " + (reason != nullptr ? reason : "unknown"));
  }

  ArchiveEntry describe(const struct stat& status, const std::string& path) const {
    ArchiveEntry entry(archive_entry_new(), archive_entry_free);
    archive_entry_copy_stat(entry.get(), &status);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_unset_atime(entry.get());
    archive_entry_unset_ctime(entry.get());
    timespec time = options_.keep_times ? status.st_mtim : timespec{kCopyTimeSeconds, 0};
    if (options_.latest_time && time.tv_sec >= *options_.latest_time) time = {*options_.latest_time, 0};
    archive_entry_set_mtime(entry.get(), time.tv_sec, time.tv_nsec);
    if (!options_.keep_owners) {
      archive_entry_set_uid(entry.get(), 0);
      archive_entry_set_gid(entry.get(), 0);
    }
    if (!S_ISREG(status.st_mode)) archive_entry_set_size(entry.get(), 0);
    return entry;
  }

  Status write_header(archive_entry* entry, const std::string& path) {
    // A warning tells of a name that is no UTF-8, which is kept byte by byte.
    if (archive_write_header(archive_.get(), entry) < ARCHIVE_WARN) return failure(path);
    return sink_status_;
  }

  Status add(int parent, const std::string& name, const std::string& path, int depth) {
    struct stat status {};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at " + path);
    }
    if (S_ISSOCK(status.st_mode)) return {};  // nothing that could be carried elsewhere
    if (options_.is_layer && S_ISCHR(status.st_mode) && status.st_rdev == 0)
      return add_mark(prefix_of(path) + ".wh." + name);
    const ArchiveEntry entry = describe(status, path);
    if (S_ISLNK(status.st_mode)) return add_symlink(entry.get(), parent, name, path);
    if (S_ISREG(status.st_mode)) return add_file(entry.get(), status, parent, name, path);
    if (!S_ISDIR(status.st_mode)) return write_header(entry.get(), path);
    const sys::UniqueFd child(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child) return fail_errno(errno, "cannot open directory " + path);
    add_attributes(entry.get(), child.get());
    INGOT_CHECK(write_header(entry.get(), path));
    if (options_.is_layer && is_opaque(child.get())) INGOT_CHECK(add_mark(path + "/.wh..wh..opq"));
    return add_contents(child.get(), path + "/", depth + 1);
  }

  static std::string prefix_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

  // The directory hides what the layers below have of it.
  static bool is_opaque(int directory) {
    char value = 0;
    return fgetxattr(directory, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
  }

  // An empty file whose name is its meaning.
  Status add_mark(const std::string& path) {
    struct stat status {};
    status.st_mode = S_IFREG;
    status.st_mtim = {kCopyTimeSeconds, 0};
    const ArchiveEntry entry = describe(status, path);
    return write_header(entry.get(), path);
  }

  Status add_symlink(archive_entry* entry, int parent, const std::string& name, const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t length = readlinkat(parent, name.c_str(), target.data(), target.size());
    if (length < 0) return fail_errno(errno, "cannot read symlink " + path);
    target.resize(static_cast<std::size_t>(length));
    archive_entry_set_symlink(entry, target.c_str());
    return write_header(entry, path);
  }

  Status add_file(archive_entry* entry, const struct stat& status, int parent, const std::string& name,
                  const std::string& path) {
    if (status.st_nlink > 1) {
      auto [first, is_new] = first_names_.emplace(std::pair(status.st_dev, status.st_ino), path);
      if (!is_new) {
        archive_entry_set_hardlink(entry, first->second.c_str());
        archive_entry_set_size(entry, 0);
        return write_header(entry, path);
      }
    }
    const sys::UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "cannot open " + path);
    add_attributes(entry, fd.get());
    INGOT_CHECK(write_header(entry, path));
    sink_.file_begins(fd.get(), status);
    INGOT_CHECK(sys::read_bytes(fd.get(), "cannot read " + path, [&](std::string_view bytes) -> Status {
      if (archive_write_data(archive_.get(), bytes.data(), bytes.size()) < 0) return failure(path);
      return sink_status_;
    }));
    return sink_.file_ends();
  }

  TarOptions options_;
  TarSink& sink_;
  Status sink_status_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  // of files with several links
};

// Small pieces as larger ones.
class Gathered : public TarSink {
 public:
  explicit Gathered(const std::function<Status(std::string_view)>& sink) : sink_(sink) {}
  Status write(std::string_view bytes) override {
    if (held_.size() + bytes.size() > kPiece) INGOT_CHECK(flush());
    if (bytes.size() >= kPiece) return sink_(bytes);
    held_.append(bytes);
    return {};
  }
  Status flush() {
    if (held_.empty()) return {};
    auto taken = sink_(held_);
    held_.clear();
    return taken;
  }

 private:
  static constexpr std::size_t kPiece = 256U << 10;
  const std::function<Status(std::string_view)>& sink_;
  std::string held_;
};

}  // namespace

Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options,
                 const std::function<Status(std::string_view)>& sink) {
  Gathered gathered(sink);
  INGOT_CHECK(write_tar(root, directory, options, gathered));
  return gathered.flush();
}

Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options, TarSink& sink) {
  INGOT_TRY(auto fd, root.open_path(directory, O_RDONLY | O_DIRECTORY));
  const sys::Utf8Names names;
  TarWriter writer(options, sink);
  INGOT_CHECK(writer.add_contents(fd.get(), "", 1));
  return writer.close();
}

}  // namespace ingot::store
