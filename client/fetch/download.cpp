#include "client/fetch/download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "client/fetch/parallel_hasher.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using base::fail;
using base::fail_errno;

constexpr std::size_t kBlock = 1 << 20;

// Takes the bytes in order, hashes and writes them at the same time.
class HashedOutput {
 public:
  explicit HashedOutput(int fd) : fd_(fd) { filling_.reserve(kBlock); }

  Status take(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), kBlock - filling_.size());
      filling_.append(bytes.substr(0, part));
      bytes.remove_prefix(part);
      if (filling_.size() == kBlock) INGOT_CHECK(flush());
    }
    return {};
  }
  // What an earlier transfer has written already: only hashed.
  void skip(std::string_view bytes) {
    hasher_.begin(bytes);
    hasher_.wait();
  }
  Result<base::Digest> finish() {
    INGOT_CHECK(flush());
    return hasher_.finish();
  }

 private:
  Status flush() {
    hasher_.begin(filling_);
    Status written = sys::write_all(fd_, filling_);
    hasher_.wait();
    filling_.clear();
    return written;
  }
  int fd_;
  std::string filling_;
  ParallelHasher hasher_;
};

Status transfer(HttpConnection& connection, HashedOutput& output, std::uint64_t already, std::uint64_t total,
                const DownloadProgress& progress) {
  Status written;
  std::uint64_t done = already;
  Status read = connection.read_body([&](std::string_view bytes) {
    written = output.take(bytes);
    done += bytes.size();
    if (progress) progress(done, total);
    return written.has_value();
  });
  return written ? read : written;
}

Status hash_existing(int fd, std::uint64_t size, HashedOutput& output) {
  std::vector<char> buffer(kBlock);
  for (std::uint64_t at = 0; at < size;) {
    ssize_t got = pread(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), size - at), static_cast<off_t>(at));
    if (got <= 0) return fail_errno(errno, "cannot read the part that was fetched before");
    output.skip({buffer.data(), static_cast<std::size_t>(got)});
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

tl::unexpected<Error> wrong_digest(const proto::Artifact& artifact, const std::string& got) {
  return fail(ErrorKind::internal,
              "artifact " + artifact.name + " arrived with digest " + got + ", not " + artifact.digest,
              "fetch it again; if it stays, the daemon's disk is damaged");
}

// One try. An incomplete part file is kept for the next; one with the wrong content is not.
Status fetch_part(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                  const std::filesystem::path& part, const DownloadProgress& progress) {
  INGOT_TRY(auto fd, sys::open_file(part, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct stat status {};
  fstat(fd.get(), &status);
  auto already = static_cast<std::uint64_t>(status.st_size);
  if (already > artifact.size) already = 0;
  std::optional<Daemon::Download> download;
  if (already < artifact.size || artifact.size == 0) {
    INGOT_TRY(auto started, daemon.download(job, artifact, already));
    if (started.head.status != 206) already = 0;
    download.emplace(std::move(started));
  }
  if (ftruncate(fd.get(), static_cast<off_t>(already)) != 0) return fail_errno(errno, "cannot cut " + part.string());
  HashedOutput output(fd.get());
  INGOT_CHECK(hash_existing(fd.get(), already, output));
  lseek(fd.get(), 0, SEEK_END);
  if (download) INGOT_CHECK(transfer(download->connection, output, already, artifact.size, progress));
  INGOT_TRY(auto digest, output.finish());
  if (digest.str() == artifact.digest) return {};
  unlink(part.c_str());
  return wrong_digest(artifact, digest.str());
}

}  // namespace

std::filesystem::path part_file(const std::filesystem::path& destination) {
  return destination.parent_path() / ("." + destination.filename().string() + ".ingot-part");
}

Status download_file(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                     const std::filesystem::path& destination, const DownloadProgress& progress) {
  const auto part = part_file(destination);
  auto fetched = fetch_part(daemon, job, artifact, part, progress);
  // A part of other bytes was found there: once more from the start.
  if (!fetched && fetched.error().kind == ErrorKind::internal)
    fetched = fetch_part(daemon, job, artifact, part, progress);
  if (!fetched) return fetched;
  const mode_t mask = umask(0);
  umask(mask);
  if (chmod(part.c_str(), (artifact.mode | 0600U) & 0777U & ~mask) != 0)
    return fail_errno(errno, "cannot set the mode of " + part.string());
  if (rename(part.c_str(), destination.c_str()) != 0) return fail_errno(errno, "cannot name " + destination.string());
  return {};
}

Status download_stream(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, int fd) {
  INGOT_TRY(auto download, daemon.download(job, artifact, 0));
  HashedOutput output(fd);
  INGOT_CHECK(transfer(download.connection, output, 0, artifact.size, nullptr));
  INGOT_TRY(auto digest, output.finish());
  return digest.str() == artifact.digest ? Status{} : wrong_digest(artifact, digest.str());
}

}  // namespace ingot::client
