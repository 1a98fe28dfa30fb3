#include "daemon/store/contexts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/base/strings.h"
#include "daemon/store/manifest_check.h"
#include "daemon/sys/unfinished_files.h"
#include "proto/codec.h"

namespace ingot::store {

using base::fail;

namespace {

constexpr std::uint64_t kLargestManifest = 1ULL << 30;

struct KeptManifest {
  base::Digest digest;
  std::int64_t used_ms = 0;
  std::uint64_t bytes = 0;  // on the disk
};

std::optional<KeptManifest> look_at(const fs::path& path) {
  auto digest = base::Digest::parse("sha256:" + path.stem().string());
  struct stat status {};
  if (!digest || stat(path.c_str(), &status) != 0) return std::nullopt;
  const std::int64_t used_ms = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000;
  return KeptManifest{*digest, used_ms, sys::disk_bytes(static_cast<std::uint64_t>(status.st_size))};
}

// All of them, or an error: who removes what none of them names must not overlook one.
Result<std::vector<fs::path>> manifests_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".json" && base::Digest::parse("sha256:" + path.stem().string())) found.push_back(path);
  }
  if (error) return base::fail_errno(error.value(), "cannot read " + directory.string());
  return found;
}

}  // namespace

ContextStore::ContextStore(fs::path directory, BlobStore& blobs, ContextLimits limits)
    : directory_(std::move(directory)), blobs_(&blobs), limits_(limits) {}

Result<ContextStore> ContextStore::open(const fs::path& directory, BlobStore& blobs, ContextLimits limits) {
  INGOT_CHECK(sys::make_directories(directory, 0750));
  INGOT_CHECK(sys::remove_unfinished_files(directory));
  ContextStore store(directory, blobs, limits);
  INGOT_TRY(const auto manifests, manifests_in(directory));
  for (const auto& path : manifests) {
    const auto kept = look_at(path);
    if (!kept) continue;
    ++store.books_->totals.count;
    store.books_->totals.bytes += kept->bytes;
  }
  return store;
}

bool ContextStore::touch(const base::Digest& digest) const {
  std::lock_guard lock(books_->mutex);
  return utimensat(AT_FDCWD, path_of(digest).c_str(), nullptr, 0) == 0;
}

ContextStore::Totals ContextStore::totals() const {
  std::lock_guard lock(books_->mutex);
  return books_->totals;
}

Status ContextStore::read_all(const See& see) const {
  INGOT_TRY(const auto manifests, manifests_in(directory_));
  for (const auto& path : manifests) {
    auto text = sys::read_file(path, kLargestManifest);
    if (!text && text.error().kind == ErrorKind::not_found) continue;
    if (!text) return fail(text.error());
    INGOT_TRY(const auto digest, base::Digest::parse("sha256:" + path.stem().string()));
    see(digest, *text);
  }
  return {};
}

Result<ContextStore::Unused> ContextStore::remove_unused(std::int64_t used_before_ms, const Needed& is_needed,
                                                         bool dry_run) {
  Unused unused;
  INGOT_TRY(const auto manifests, manifests_in(directory_));
  for (const auto& path : manifests) {
    const auto kept = look_at(path);
    if (!kept || kept->used_ms >= used_before_ms) continue;
    INGOT_TRY(bool needed, is_needed(kept->digest));
    if (needed) continue;
    INGOT_TRY(auto text, sys::read_file(path, kLargestManifest));
    if (!dry_run) {
      std::lock_guard lock(books_->mutex);
      const auto now = look_at(path);
      if (!now || now->used_ms >= used_before_ms || unlink(path.c_str()) != 0) continue;
      --books_->totals.count;
      books_->totals.bytes -= kept->bytes;
    }
    const auto files = digests_in_text(text);
    unused.files.insert(unused.files.end(), files.begin(), files.end());
    unused.contexts.insert(to_raw(kept->digest));
    ++unused.removed.count;
    unused.removed.bytes += kept->bytes;
  }
  // A power cut must not take the files' removal for done and that of the manifest that names them not.
  if (unused.removed.count > 0 && !dry_run) INGOT_CHECK(sys::sync_directory(directory_));
  return unused;
}

// A context that is not kept yet relies on the files that are there until it is.
Result<std::vector<std::string>> ContextStore::missing_blobs(const proto::ContextManifest& manifest,
                                                             bool is_kept) const {
  std::vector<std::string> missing;
  std::map<std::string, std::optional<std::uint64_t>> sizes;  // by digest; none: not there
  for (const auto& entry : manifest.entries) {
    if (entry.type != proto::EntryType::file) continue;
    auto [known, is_new] = sizes.try_emplace(entry.digest);
    if (is_new) {
      INGOT_TRY(auto digest, base::Digest::parse(entry.digest));
      std::error_code absent;
      if (is_kept) {
        const auto size = fs::file_size(blobs_->path(digest), absent);
        if (!absent) known->second = size;
      } else {
        known->second = blobs_->find_for_upload(digest);
      }
      if (!known->second) missing.push_back(entry.digest);
    }
    if (!known->second || *known->second == entry.size) continue;
    // The limits were held against what the manifest says.
    return fail(ErrorKind::invalid,
                fmt::format("context path \"{}\" has {} bytes; its manifest says {}", base::printable(entry.path),
                            *known->second, entry.size),
                "the file changed while it was read; send the context again");
  }
  return missing;
}

Result<proto::ContextStatus> ContextStore::offer(const proto::ContextManifest& manifest) {
  INGOT_CHECK(check_manifest(manifest, limits_));
  proto::ContextStatus status;
  const auto digest = base::Digest::of(proto::canonical_text(manifest));
  status.digest = digest.str();
  const bool is_kept = touch(digest);
  INGOT_TRY(status.missing, missing_blobs(manifest, is_kept));
  if (!status.missing.empty()) return status;
  INGOT_CHECK(blobs_->sync_all());
  if (is_kept) return status;
  const fs::path kept = path_of(digest);
  std::lock_guard lock(books_->mutex);
  if (look_at(kept)) return status;  // another client offered the same at the same time
  INGOT_CHECK(sys::write_file_durably(kept, proto::dump(proto::to_json(manifest)), 0640));
  if (const auto written = look_at(kept)) {
    ++books_->totals.count;
    books_->totals.bytes += written->bytes;
  }
  return status;
}

Result<proto::ContextManifest> ContextStore::load(const base::Digest& digest) const {
  touch(digest);  // whoever loads it may be about to refer to it
  auto text = sys::read_file(path_of(digest), kLargestManifest);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "there is no context " + digest.str(),
                "send its manifest and files first (POST /v1/contexts)");
  }
  if (!text) return fail(text.error());
  auto parsed = proto::parse_json(*text);
  if (!parsed) return fail(ErrorKind::internal, "context " + digest.str() + " is damaged: " + parsed.error().message);
  return proto::manifest_from_json(*parsed);
}

}  // namespace ingot::store
