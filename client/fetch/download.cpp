#include "client/fetch/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "client/fetch/passed_file.h"
#include "client/fetch/remember_delivered.h"
#include "daemon/base/strings.h"
#include "daemon/sys/writeback.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kLongestPause{2000};

tl::unexpected<Error> wrong_digest(const proto::Artifact& artifact, const std::string& got) {
  return fail(ErrorKind::internal,
              "artifact " + artifact.name + " arrived with other bytes: " + got + ", not " +
                  (got.starts_with("xxh128:") ? artifact.checksum : artifact.digest),
              "fetch it again; if it stays, the daemon's disk is damaged");
}

// The part file, for us alone: two writers would spoil each other's bytes.
Result<sys::UniqueFd> open_part(const fs::path& part) {
  INGOT_TRY(auto fd, sys::open_file(part, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    struct stat ours {};
    struct stat named {};
    const bool same = fstat(fd.get(), &ours) == 0 && stat(part.c_str(), &named) == 0 && ours.st_ino == named.st_ino;
    if (same) return fd;
    errno = EWOULDBLOCK;  // whoever had it finished between our two calls: this is the finished file
  }
  if (errno == EWOULDBLOCK) {
    return fail(ErrorKind::conflict, "another process fetches to " + part.string() + " at this moment",
                "wait for it, or name another file");
  }
  return fail_errno(errno, "cannot lock " + part.string());
}

// A large file that is to replace another one. What the cache has of the old one makes room for the new one: memory
// that is at hand is written to sooner. The rename finds places on the disk for what has none; they are found while the
// bytes come.
class Replacement {
 public:
  Replacement(const fs::path& old, int fresh, std::uint64_t size) {
    constexpr std::uint64_t kLarge = 32U << 20;
    struct stat status {};
    if (size < kLarge || lstat(old.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    if (auto replaced = sys::open_file(old, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)) {
      (void)posix_fadvise(replaced->get(), 0, 0, POSIX_FADV_DONTNEED);
    }
    writeback_.emplace(fresh);
  }

 private:
  std::optional<sys::WritebackBeside> writeback_;
};

// One try. An incomplete part file is kept for the next; one with the wrong content is not.
Status fetch_part(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, const fs::path& part, int fd,
                  const DownloadProgress& progress) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return fail_errno(errno, "cannot look at " + part.string());
  auto already = static_cast<std::uint64_t>(status.st_size);
  if (already > artifact.size) already = 0;
  std::optional<Daemon::Download> download;
  if (already < artifact.size || artifact.size == 0) {
    INGOT_TRY(auto started, daemon.download(job, artifact, already, !artifact.checksum.empty()));
    if (started.head.status != 206) already = 0;
    download.emplace(std::move(started));
  }
  // Not when there is nothing to cut: ext4 writes a file out at its close once it was truncated.
  const bool cut =
      already == static_cast<std::uint64_t>(status.st_size) || ftruncate(fd, static_cast<off_t>(already)) == 0;
  if (!cut || lseek(fd, 0, SEEK_SET) < 0) {
    return fail_errno(errno, "cannot cut " + part.string());
  }
  auto written = [&](std::uint64_t bytes) {
    already += bytes;
    if (progress) progress(already, artifact.size);
  };
  std::string found;
  const bool passed = download && download->file;
  if (passed) {
    INGOT_TRY(found, copy_passed_file(download->file.get(), fd, written));
  } else {
    HashedOutput output(fd);
    INGOT_CHECK(output.hash_existing(already));
    if (lseek(fd, static_cast<off_t>(already), SEEK_SET) < 0) {
      return fail_errno(errno, "cannot seek in " + part.string());
    }
    if (download) INGOT_CHECK(output.take(download->connection, written));
    found = output.finish().str();
  }
  if (found == (passed ? artifact.checksum : artifact.digest)) return {};
  if (ftruncate(fd, 0) != 0) return fail_errno(errno, "cannot cut " + part.string());
  return wrong_digest(artifact, found);
}

// Tries again: once when the part held other bytes, and for as long as a daemon may take to restart.
Status fetch_patiently(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, const fs::path& part,
                       int fd, const DownloadProgress& progress) {
  auto last_heard = std::chrono::steady_clock::now();
  auto pause = kFirstPause;
  bool was_wrong = false;
  while (true) {
    auto fetched = fetch_part(daemon, job, artifact, part, fd, [&](std::uint64_t done, std::uint64_t total) {
      last_heard = std::chrono::steady_clock::now();
      pause = kFirstPause;
      if (progress) progress(done, total);
    });
    if (fetched) return fetched;
    if (fetched.error().kind == ErrorKind::internal && !std::exchange(was_wrong, true)) continue;
    if (fetched.error().kind != ErrorKind::unavailable) return fetched;
    if (std::chrono::steady_clock::now() - last_heard > kPatience) {
      return fail(base::with_context(fetched.error(), "what has come is kept: fetch again to go on from there"));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace

fs::path part_file(const fs::path& destination) {
  constexpr std::size_t kLongestName = 240;  // a file's name has up to 255 bytes
  std::string name = destination.filename().string();
  if (name.size() > kLongestName) name = base::Digest::of(name).hex();
  return destination.parent_path() / ("." + name + ".ingot-part");
}

Status download_file(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                     const fs::path& destination, const DownloadProgress& progress, Afterwards afterwards) {
  const auto part = part_file(destination);
  INGOT_TRY(auto fd, open_part(part));
  auto fetched = [&] {
    const Replacement replacement(destination, fd.get(), artifact.size);
    return fetch_patiently(daemon, job, artifact, part, fd.get(), progress);
  }();
  if (!fetched) {
    struct stat status {};
    if (fstat(fd.get(), &status) == 0 && status.st_size == 0) unlink(part.c_str());  // nothing worth keeping
    return fetched;
  }
  const mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd.get(), (artifact.mode | 0600U) & 0777U & ~mask) != 0)
    return fail_errno(errno, "cannot set the mode of " + part.string());
  std::optional<RememberDelivered> remember;
  if (afterwards == Afterwards::remember_digest) remember.emplace(fd.get());
  if (rename(part.c_str(), destination.c_str()) != 0) return fail_errno(errno, "cannot name " + destination.string());
  if (remember) remember->landed(artifact.digest);
  return {};
}

Status download_stream(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, int fd) {
  INGOT_TRY(auto download, daemon.download(job, artifact, 0, false));
  HashedOutput output(fd);
  INGOT_CHECK(output.take(download.connection, [](std::uint64_t) {}));
  const auto digest = output.finish();
  return digest.str() == artifact.digest ? Status{} : wrong_digest(artifact, digest.str());
}

}  // namespace ingot::client
