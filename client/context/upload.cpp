#include "client/context/upload.h"

#include <fcntl.h>

#include <map>

#include "client/context/scan.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// What changed between the look at the project and the sending of it. Worth another look; anything else is not.
bool was_edited(const Error& error) {
  return error.kind == ErrorKind::invalid || error.kind == ErrorKind::conflict || error.kind == ErrorKind::not_found;
}

Status send_one(Daemon& daemon, const fs::path& directory, const proto::ManifestEntry& entry) {
  INGOT_TRY(auto file, sys::open_file(directory / entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  return daemon.put_blob(entry.digest, file.get(), entry.size);
}

Status send_missing(Daemon& daemon, const fs::path& directory, const proto::ContextManifest& manifest,
                    const std::vector<std::string>& missing,
                    const std::function<void(const UploadProgress&)>& progress) {
  std::map<std::string, const proto::ManifestEntry*> by_digest;
  for (const auto& entry : manifest.entries) {
    if (entry.type == proto::EntryType::file) by_digest[entry.digest] = &entry;
  }
  UploadProgress done;
  done.files_to_send = missing.size();
  for (const auto& digest : missing) {
    if (!by_digest.contains(digest)) {
      return base::fail(ErrorKind::internal, "the daemon asks for " + base::printable(digest) + ", which no file has");
    }
    done.bytes_to_send += by_digest[digest]->size;
  }
  for (const auto& digest : missing) {
    progress(done);
    const auto& entry = *by_digest[digest];
    if (auto sent = send_one(daemon, directory, entry); !sent) {
      return base::fail(base::with_context(sent.error(), "while sending " + base::printable(entry.path)));
    }
    ++done.files_sent;
    done.bytes_sent += entry.size;
  }
  progress(done);
  return {};
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
    if (auto sent = send_missing(daemon, directory, manifest, status.missing, progress); !sent) {
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
