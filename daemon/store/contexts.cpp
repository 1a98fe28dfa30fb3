#include "daemon/store/contexts.h"

#include <nlohmann/json.hpp>
#include <set>

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

Result<proto::ContextStatus> ContextStore::offer(const proto::ContextManifest& manifest) {
  INGOT_CHECK(check_manifest(manifest, limits_));
  proto::ContextStatus status;
  const auto digest = base::Digest::of(proto::canonical_text(manifest));
  status.digest = digest.str();
  std::set<std::string> asked;
  for (const auto& entry : manifest.entries) {
    if (entry.type != proto::EntryType::file || !asked.insert(entry.digest).second) continue;
    INGOT_TRY(auto blob, base::Digest::parse(entry.digest));
    if (!blobs_->has(blob)) status.missing.push_back(entry.digest);
  }
  const fs::path kept = directory_ / (digest.hex() + ".json");
  std::error_code ignored;
  if (status.missing.empty() && !fs::exists(kept, ignored)) {
    INGOT_CHECK(blobs_->sync_all());
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
