#include "client/context/upload.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "client/context/scan.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// What changed between the look at the project and the sending of it. Worth another look; anything else is not.
bool was_edited(const Error& error) {
  return error.kind == ErrorKind::invalid || error.kind == ErrorKind::conflict || error.kind == ErrorKind::not_found;
}

// A file system on this host's disks: another may be slow to answer, which is ours to wait for and not the daemon's.
bool is_local(int file) {
  constexpr std::uint32_t kZfsMagic = 0x2fc12fc1;
  struct statfs status {};
  if (fstatfs(file, &status) != 0) return false;
  constexpr std::array<std::uint32_t, 7> kLocal = {
      EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
      TMPFS_MAGIC,      F2FS_SUPER_MAGIC, kZfsMagic};
  return std::find(kLocal.begin(), kLocal.end(), static_cast<std::uint32_t>(status.f_type)) != kLocal.end();
}

// Sends files over several connections: the daemon hashes one while it receives the next.
class Sending {
 public:
  Sending(Daemon& daemon, const fs::path& directory, std::vector<const proto::ManifestEntry*> files,
          bool takes_descriptors, const std::function<void(const UploadProgress&)>& progress)
      : daemon_(daemon),
        directory_(directory),
        files_(std::move(files)),
        pass_files_(takes_descriptors),
        progress_(progress) {
    done_.files_to_send = files_.size();
    for (const auto* file : files_) done_.bytes_to_send += file->size;
  }

  Status run() {
    progress_(done_);
    // Few bytes are sent before another connection is made.
    constexpr std::uint64_t kWorthAnother = 4U << 20;
    constexpr std::uint64_t kMost = 3;
    const auto more = std::min<std::uint64_t>({done_.bytes_to_send / kWorthAnother, files_.size(), kMost});
    std::vector<std::thread> others;
    for (std::uint64_t i = 1; i < more; ++i) {
      others.emplace_back([this] {
        Daemon own(daemon_.socket_path());
        work(own);
      });
    }
    work(daemon_);
    for (auto& other : others) other.join();
    return outcome_;
  }

 private:
  void work(Daemon& daemon) {
    while (const auto* file = next()) {
      auto sent = send_one(daemon, *file);
      std::lock_guard lock(mutex_);
      if (!sent && outcome_) outcome_ = sent;
      if (!sent) return;
      ++done_.files_sent;
      done_.bytes_sent += file->size;
      progress_(done_);
    }
  }
  Status send_one(Daemon& daemon, const proto::ManifestEntry& entry) {
    INGOT_TRY(auto file, sys::open_file(directory_ / entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    auto sent = send_file(daemon, entry, file.get());
    return sent ? sent : base::fail(base::with_context(sent.error(), "while sending " + base::printable(entry.path)));
  }
  Status send_file(Daemon& daemon, const proto::ManifestEntry& entry, int file) {
    if (pass_files_ && is_local(file)) {
      auto passed = daemon.pass_blob(entry.digest, file, entry.size);
      if (passed || passed.error().kind != ErrorKind::unsupported) return passed;
      pass_files_ = false;  // a tunnel to another host, perhaps
    }
    return daemon.put_blob(entry.digest, file, entry.size);
  }
  // Null when there is none, or one could not be sent.
  const proto::ManifestEntry* next() {
    std::lock_guard lock(mutex_);
    return outcome_ && next_ < files_.size() ? files_[next_++] : nullptr;
  }

  Daemon& daemon_;
  const fs::path& directory_;
  const std::vector<const proto::ManifestEntry*> files_;
  std::atomic<bool> pass_files_;
  const std::function<void(const UploadProgress&)>& progress_;
  std::mutex mutex_;  // guards all below
  std::size_t next_ = 0;
  UploadProgress done_;
  Status outcome_;
};

Status send_missing(Daemon& daemon, const fs::path& directory, const proto::ContextManifest& manifest,
                    const proto::ContextStatus& status, const std::function<void(const UploadProgress&)>& progress) {
  std::map<std::string, const proto::ManifestEntry*> by_digest;
  for (const auto& entry : manifest.entries) {
    if (entry.type == proto::EntryType::file) by_digest[entry.digest] = &entry;
  }
  std::vector<const proto::ManifestEntry*> files;
  for (const auto& digest : status.missing) {
    const auto file = by_digest.find(digest);
    if (file == by_digest.end()) {
      return base::fail(ErrorKind::internal, "the daemon asks for " + base::printable(digest) + ", which no file has");
    }
    files.push_back(file->second);
  }
  return Sending(daemon, directory, std::move(files), status.takes_descriptors, progress).run();
}

}  // namespace

Result<std::string> upload_project(Daemon& daemon, const fs::path& directory,
                                   const std::function<void(const UploadProgress&)>& progress,
                                   const std::vector<fs::path>& never_sent) {
  HashCache cache(HashCache::default_file());
  constexpr int kRounds = 3;  // a project that is edited meanwhile is looked at again
  Error changed;
  changed.message = "the daemon keeps asking for files that were sent";
  for (int round = 0; round < kRounds; ++round) {
    INGOT_TRY(auto manifest, scan_project(directory, cache, never_sent));
    INGOT_TRY(auto status, daemon.offer(manifest));
    if (status.missing.empty()) return status.digest;
    if (auto sent = send_missing(daemon, directory, manifest, status, progress); !sent) {
      if (!was_edited(sent.error())) return base::fail(sent.error());
      changed = sent.error();
      cache.forget_all();  // whatever is the matter, this time every file is read
      continue;
    }
    INGOT_TRY(auto kept, daemon.offer(manifest));
    if (kept.missing.empty()) return kept.digest;
  }
  return base::fail(std::move(changed));
}

}  // namespace ingot::client
