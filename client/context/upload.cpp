#include "client/context/upload.h"

#include <fcntl.h>

#include <map>

#include "client/context/scan.h"

namespace ingot::client {

Result<std::string> upload_project(Daemon& daemon, const std::filesystem::path& directory,
                                   const std::function<void(const UploadProgress&)>& progress) {
  HashCache cache(HashCache::default_file());
  constexpr int kRounds = 3;  // a project that is edited meanwhile is scanned again
  Error changed;
  for (int round = 0; round < kRounds; ++round) {
    INGOT_TRY(auto manifest, scan_project(directory, cache));
    INGOT_TRY(auto status, daemon.offer(manifest));
    if (status.missing.empty()) return status.digest;
    std::map<std::string, const proto::ManifestEntry*> by_digest;
    for (const auto& entry : manifest.entries) by_digest[entry.digest] = &entry;
    UploadProgress done;
    done.files_to_send = status.missing.size();
    for (const auto& digest : status.missing)
      done.bytes_to_send += by_digest.contains(digest) ? by_digest[digest]->size : 0;
    bool complete = true;
    for (const auto& digest : status.missing) {
      auto entry = by_digest.find(digest);
      if (entry == by_digest.end())
        return base::fail(ErrorKind::internal, "the daemon asks for a file that was not offered");
      progress(done);
      INGOT_TRY(auto file, sys::open_file(directory / entry->second->path, O_RDONLY | O_NOFOLLOW));
      auto sent = daemon.put_blob(digest, file.get(), entry->second->size);
      if (!sent) {
        const bool edited = sent.error().kind == ErrorKind::invalid || sent.error().kind == ErrorKind::conflict;
        if (!edited) return base::fail(base::with_context(sent.error(), "while sending " + entry->second->path));
        changed = base::with_context(sent.error(), "while sending " + entry->second->path);
        complete = false;
        break;
      }
      ++done.files_sent;
      done.bytes_sent += entry->second->size;
    }
    progress(done);
    if (!complete) continue;
    INGOT_TRY(auto kept, daemon.offer(manifest));
    if (kept.missing.empty()) return kept.digest;
  }
  if (changed.message.empty()) changed.message = "the daemon keeps asking for files that were sent";
  return base::fail(std::move(changed));
}

}  // namespace ingot::client
