#include "daemon/store/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <vector>

#include "daemon/store/context_copy.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;

class TarWriter {
 public:
  TarWriter(const TarOptions& options, const std::function<Status(std::string_view)>& sink)
      : options_(options), sink_(sink), archive_(archive_write_new(), archive_write_free) {
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_set_bytes_per_block(archive_.get(), 1 << 20);
    archive_write_set_bytes_in_last_block(archive_.get(), 1);
    archive_write_open(archive_.get(), this, nullptr, &TarWriter::receive, nullptr);
  }

  // `fd` is the directory; `prefix` its name in the archive with a trailing slash, "" at the top.
  Status add_contents(int fd, const std::string& prefix) {
    std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0)), closedir);
    if (!directory) return fail_errno(errno, "cannot read directory " + prefix);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory.get())) names.emplace_back(entry->d_name);
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (name != "." && name != "..") INGOT_CHECK(add(fd, name, prefix + name));
    }
    return {};
  }

  Status close() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("the end");
    return {};
  }

 private:
  static la_ssize_t receive(archive* /*archive*/, void* self, const void* bytes, size_t size) {
    auto* writer = static_cast<TarWriter*>(self);
    writer->sink_status_ = writer->sink_({static_cast<const char*>(bytes), size});
    return writer->sink_status_ ? static_cast<la_ssize_t>(size) : -1;
  }

  tl::unexpected<Error> failure(const std::string& name) {
    if (!sink_status_) return fail(sink_status_.error());
    const char* reason = archive_error_string(archive_.get());
    return fail(ErrorKind::internal, "cannot pack " + name + ": " + (reason != nullptr ? reason : "unknown"));
  }

  Status add(int parent, const std::string& name, const std::string& path) {
    struct stat status {};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at " + path);
    }
    if (S_ISSOCK(status.st_mode)) return {};  // nothing that could be carried elsewhere
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_copy_stat(entry.get(), &status);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_unset_atime(entry.get());
    archive_entry_unset_ctime(entry.get());
    archive_entry_set_mtime(entry.get(), options_.keep_times ? status.st_mtim.tv_sec : kCopyTimeSeconds,
                            options_.keep_times ? status.st_mtim.tv_nsec : 0);
    if (!options_.keep_owners) {
      archive_entry_set_uid(entry.get(), 0);
      archive_entry_set_gid(entry.get(), 0);
    }
    if (S_ISLNK(status.st_mode)) {
      std::string target(4096, '\0');
      ssize_t length = readlinkat(parent, name.c_str(), target.data(), target.size());
      if (length < 0) return fail_errno(errno, "cannot read symlink " + path);
      target.resize(static_cast<std::size_t>(length));
      archive_entry_set_symlink(entry.get(), target.c_str());
    }
    bool linked = false;
    if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
      auto [first, is_new] = first_names_.emplace(std::pair(status.st_dev, status.st_ino), path);
      linked = !is_new;
      if (linked) archive_entry_set_hardlink(entry.get(), first->second.c_str());
    }
    if (!S_ISREG(status.st_mode) || linked) archive_entry_set_size(entry.get(), 0);
    if (archive_write_header(archive_.get(), entry.get()) != ARCHIVE_OK) return failure(path);
    if (S_ISREG(status.st_mode) && !linked) return add_bytes(parent, name, path);
    if (!S_ISDIR(status.st_mode)) return {};
    sys::UniqueFd child(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child) return fail_errno(errno, "cannot open directory " + path);
    return add_contents(child.get(), path + "/");
  }

  Status add_bytes(int parent, const std::string& name, const std::string& path) {
    sys::UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "cannot open " + path);
    buffer_.resize(1 << 20);
    while (true) {
      ssize_t got = read(fd.get(), buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(errno, "cannot read " + path);
      if (got == 0) return {};
      if (archive_write_data(archive_.get(), buffer_.data(), static_cast<std::size_t>(got)) < 0) return failure(path);
    }
  }

  TarOptions options_;
  const std::function<Status(std::string_view)>& sink_;
  Status sink_status_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  // of files with several links
  std::vector<char> buffer_;
};

}  // namespace

Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options,
                 const std::function<Status(std::string_view)>& sink) {
  INGOT_TRY(auto fd, root.open_path(directory, O_RDONLY | O_DIRECTORY));
  TarWriter writer(options, sink);
  INGOT_CHECK(writer.add_contents(fd.get(), ""));
  return writer.close();
}

}  // namespace ingot::store
