#include "daemon/store/contexts.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/base/strings.h"
#include "daemon/store/manifest_check.h"
#include "proto/codec.h"

namespace ingot::store {

using base::fail;

ContextStore::ContextStore(fs::path directory, BlobStore& blobs, ContextLimits limits)
    : directory_(std::move(directory)), blobs_(&blobs), limits_(limits) {}

Result<ContextStore> ContextStore::open(const fs::path& directory, BlobStore& blobs, ContextLimits limits) {
  INGOT_CHECK(sys::make_directories(directory, 0750));
  return ContextStore(directory, blobs, limits);
}

Result<std::vector<std::string>> ContextStore::missing_blobs(const proto::ContextManifest& manifest) const {
  std::vector<std::string> missing;
  std::map<std::string, std::optional<std::uint64_t>> sizes;  // by digest; none: not there
  for (const auto& entry : manifest.entries) {
    if (entry.type != proto::EntryType::file) continue;
    auto [known, is_new] = sizes.try_emplace(entry.digest);
    if (is_new) {
      INGOT_TRY(auto digest, base::Digest::parse(entry.digest));
      std::error_code absent;
      const auto size = fs::file_size(blobs_->path(digest), absent);
      if (absent)
        missing.push_back(entry.digest);
      else
        known->second = size;
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
  INGOT_TRY(status.missing, missing_blobs(manifest));
  if (!status.missing.empty()) return status;
  INGOT_CHECK(blobs_->sync_all());
  const fs::path kept = directory_ / (digest.hex() + ".json");
  std::error_code ignored;
  if (!fs::exists(kept, ignored)) {
    INGOT_CHECK(sys::write_file_durably(kept, proto::dump(proto::to_json(manifest)), 0640));
  }
  return status;
}

Result<proto::ContextManifest> ContextStore::load(const base::Digest& digest) const {
  auto text = sys::read_file(directory_ / (digest.hex() + ".json"), 1ULL << 30);
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
