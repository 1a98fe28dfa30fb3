#include "client/fetch/local_artifacts.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "daemon/base/strings.h"
#include "daemon/sys/rooted.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

tl::unexpected<Error> archive_failure(archive* which, const std::string& what) {
  const char* reason = archive_error_string(which);
  return fail(ErrorKind::invalid, what + ": " + (reason != nullptr ? reason : "unknown"));
}

Status copy_data(archive* from, archive* to) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (true) {
    const int code = archive_read_data_block(from, &block, &size, &offset);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK) return archive_failure(from, "cannot read the archive");
    if (archive_write_data_block(to, block, size, offset) != ARCHIVE_OK) return archive_failure(to, "cannot unpack");
  }
}

// Puts `fresh` in the place of `place`, and removes what stood there.
Status replace_directory(const fs::path& fresh, const fs::path& place) {
  const fs::path old = place.parent_path() / ("." + place.filename().string() + ".ingot-old-" + base::random_id(6));
  const bool had = rename(place.c_str(), old.c_str()) == 0;
  if (!had && errno != ENOENT) return fail_errno(errno, "cannot put the old " + place.filename().string() + " aside");
  if (rename(fresh.c_str(), place.c_str()) != 0) {
    const int reason = errno;
    if (had) rename(old.c_str(), place.c_str());
    return fail_errno(reason, "cannot name " + place.filename().string());
  }
  return had ? sys::remove_tree(old) : Status{};
}

}  // namespace

Status unpack_tar(const fs::path& archive_path, const fs::path& directory) {
  INGOT_CHECK(sys::make_directories(directory, 0755));
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error) return fail_errno(error.value(), "cannot find " + directory.string());
  Archive from(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(from.get());
  if (archive_read_open_filename(from.get(), archive_path.c_str(), 1 << 20) != ARCHIVE_OK) {
    return archive_failure(from.get(), "cannot read " + archive_path.string());
  }
  Archive to(archive_write_disk_new(), archive_write_free);
  archive_write_disk_set_options(to.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                               ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                               ARCHIVE_EXTRACT_UNLINK);
  archive_entry* entry = nullptr;
  while (true) {
    const int code = archive_read_next_header(from.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) return archive_failure(from.get(), "cannot read " + archive_path.string());
    archive_entry_copy_pathname(entry, (root / fs::path(archive_entry_pathname(entry)).relative_path()).c_str());
    if (const char* link = archive_entry_hardlink(entry)) {
      archive_entry_copy_hardlink(entry, (root / fs::path(link).relative_path()).c_str());
    }
    if (archive_write_header(to.get(), entry) != ARCHIVE_OK) return archive_failure(to.get(), "cannot unpack");
    if (archive_entry_size(entry) > 0) INGOT_CHECK(copy_data(from.get(), to.get()));
  }
  if (archive_write_close(to.get()) != ARCHIVE_OK) return archive_failure(to.get(), "cannot unpack");
  return {};
}

Status fetch_into_project(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                          const fs::path& project, const DownloadProgress& progress) {
  const fs::path local = fs::path(artifact.local_path).lexically_normal();
  if (local.empty() || local.is_absolute() || local.string().starts_with("..") || local.filename().empty()) {
    return fail(ErrorKind::denied, "artifact " + artifact.name + " asks for the place \"" +
                                       base::printable(artifact.local_path) + "\", which is outside of the project");
  }
  INGOT_TRY(auto root, sys::RootedDir::open(project, sys::RootedDir::Links::refuse));
  INGOT_CHECK(root.make_directories(local.parent_path()));
  INGOT_TRY(auto parent, root.open_path(local.parent_path().empty() ? "." : local.parent_path(), O_PATH | O_DIRECTORY));
  // By way of the open directory: whatever happens to names above it meanwhile, this is where it goes.
  const fs::path directory = fmt::format("/proc/self/fd/{}", parent.get());
  const fs::path place = directory / local.filename();
  if (artifact.media_type != proto::kDirectoryMediaType) {
    struct stat status {};
    if (lstat(place.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      return fail(ErrorKind::conflict, artifact.local_path + " is a directory, and the artifact is a file",
                  "remove it, or write AS LOCAL with a trailing slash");
    }
    return download_file(daemon, job, artifact, place, progress);
  }
  const fs::path tar = directory / ("." + local.filename().string() + ".ingot-tar");
  INGOT_CHECK(download_file(daemon, job, artifact, tar, progress));
  const fs::path fresh = directory / ("." + local.filename().string() + ".ingot-new-" + base::random_id(6));
  Status done = unpack_tar(tar, fresh);
  unlink(tar.c_str());
  if (done) {
    chmod(fresh.c_str(), artifact.mode & 0777U);
    done = replace_directory(fresh, place);
  }
  if (!done) (void)sys::remove_tree(fresh);
  return done;
}

}  // namespace ingot::client
