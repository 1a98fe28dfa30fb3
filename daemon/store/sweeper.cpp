#include "daemon/store/sweeper.h"

#include <sys/stat.h>

#include <algorithm>

#include "daemon/store/layer_shares.h"
#include "proto/image.h"

namespace ingot::store {

namespace {

constexpr std::uint64_t kLargestImageManifest = 64U << 20;
// Of a blob that goes it is only worth a look whether it is a manifest: one that is larger keeps its layers until all
// blobs are looked at again.
constexpr std::uint64_t kWorthALook = 1U << 20;

void sort_unique(std::vector<RawDigest>& digests) {
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
}

}  // namespace

Sweeper::Sweeper(db::Database& database, BlobStore& blobs, ContextStore& contexts, Settings settings,
                 base::Clock& clock)
    : database_(database),
      blobs_(blobs),
      contexts_(contexts),
      quiet_ms_(settings.quiet_ms),
      context_age_ms_(settings.context_age_ms),
      clock_(clock),
      started_ms_(clock.unix_ms()) {
  blobs_.ledger().set_upload_grace(settings.quiet_ms, clock);
}

Swept Sweeper::total() const {
  std::lock_guard lock(mutex_);
  return total_;
}

Result<std::vector<base::Digest>> Sweeper::unreferenced() const {
  INGOT_TRY(auto candidates, blobs_.list());
  sort_unique(candidates);
  INGOT_CHECK(drop_referenced(candidates, {}));
  std::vector<base::Digest> digests;
  digests.reserve(candidates.size());
  for (const auto& raw : candidates) digests.push_back(from_raw(raw));
  return digests;
}

Result<Swept> Sweeper::sweep(bool dry_run) {
  std::lock_guard one_at_a_time(mutex_);
  Swept swept;
  if (clock_.unix_ms() - started_ms_ < quiet_ms_) return swept;
  std::vector<RawDigest> candidates = left_over_;
  INGOT_TRY(const auto going, sweep_contexts(dry_run, swept, candidates));
  if (!dry_run) left_over_ = candidates;  // should this end in the midst
  INGOT_CHECK(add_loose(dry_run, candidates));
  // Notes are taken away before references are looked for: see BlobLedger.
  if (!dry_run) {
    const auto settled = blobs_.ledger().settle(clock_.unix_ms());
    candidates.insert(candidates.end(), settled.begin(), settled.end());
  }
  if (!saw_all_) {
    INGOT_TRY(candidates, blobs_.list());
    INGOT_CHECK(add_digests("SELECT digest FROM composed_blobs", candidates));
  }
  if (!dry_run) left_over_ = candidates;
  // A manifest that goes lets go of the layers that it names: they are looked at in the next round.
  while (!candidates.empty()) {
    sort_unique(candidates);
    INGOT_CHECK(drop_referenced(candidates, going));
    std::vector<RawDigest> next;
    std::vector<RawDigest> gone;
    for (const auto& raw : candidates) {
      if (!dry_run) INGOT_CHECK(forget_composed(raw, next));
      INGOT_TRY(const auto named, named_by_image(raw, kWorthALook));
      std::uint64_t bytes = 0;
      if (!(dry_run ? would_go(raw, bytes) : blobs_.remove(from_raw(raw), bytes))) continue;
      next.insert(next.end(), named.begin(), named.end());
      gone.push_back(raw);
      ++swept.blobs;
      swept.bytes += bytes;
    }
    if (dry_run) return swept;
    INGOT_CHECK(forget_shares(gone));
    candidates = std::move(next);
  }
  left_over_.clear();
  saw_all_ = saw_all_ || !dry_run;
  total_.contexts += swept.contexts;
  total_.blobs += swept.blobs;
  total_.bytes += swept.bytes;
  return swept;
}

Status Sweeper::forget_shares(const std::vector<RawDigest>& blobs) const {
  if (blobs.empty()) return {};
  return database_.transaction([&]() -> Status {
    for (const auto& raw : blobs) {
      if (!blobs_.has(from_raw(raw))) INGOT_CHECK(forget_blob_share(database_, from_raw(raw)));  // not one made anew
    }
    return {};
  });
}

bool Sweeper::would_go(const RawDigest& raw, std::uint64_t& bytes) const {
  const auto digest = from_raw(raw);
  std::error_code absent;
  const auto size = fs::file_size(blobs_.path(digest), absent);
  if (absent || blobs_.ledger().wanted(digest)) return false;
  bytes = sys::disk_bytes(size);
  return true;
}

Result<std::set<RawDigest>> Sweeper::sweep_contexts(bool dry_run, Swept& swept, std::vector<RawDigest>& candidates) {
  const auto is_needed = [&](const base::Digest& digest) -> Result<bool> {
    bool needed = false;
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT 1 FROM jobs WHERE json_extract(spec, '$.context') = ? LIMIT 1"));
      INGOT_TRY(needed, query.bind(1, digest.str()).step());
      return {};
    }));
    return needed;
  };
  INGOT_TRY(auto unused, contexts_.remove_unused(clock_.unix_ms() - context_age_ms_, is_needed, dry_run));
  swept.contexts = unused.removed.count;
  swept.bytes += unused.removed.bytes;
  candidates.insert(candidates.end(), unused.files.begin(), unused.files.end());
  return std::move(unused.contexts);
}

// What is composed of others lets go of them. Who makes a layer's image holds the layer, and has written down what it
// is composed of together with that it is the layer's: so it is looked at once more where it goes.
Status Sweeper::forget_composed(const RawDigest& raw, std::vector<RawDigest>& let_go) const {
  const std::string digest = from_raw(raw).str();
  const std::size_t before = let_go.size();
  INGOT_CHECK(
      add_digests("SELECT blob FROM blob_parts WHERE composed = ?1 UNION SELECT digest FROM packed_layers "
                  "WHERE diff_id = ?1",
                  let_go, digest));
  if (let_go.size() == before) return {};
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_.prepare("DELETE FROM composed_blobs WHERE digest = ?1 AND NOT EXISTS "
                                               "(SELECT 1 FROM layer_blobs WHERE digest = ?1)"));
    return deletion.bind(1, digest).run();
  });
}

Status Sweeper::add_digests(const std::string& select, std::vector<RawDigest>& found, const std::string& of) const {
  return database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare(select));
    if (!of.empty()) query.bind(1, of);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      if (auto digest = base::Digest::parse(query.text(0))) found.push_back(to_raw(*digest));
    }
  });
}

// They are forgotten as they are read: one that becomes loose again meanwhile is noted again.
Status Sweeper::add_loose(bool dry_run, std::vector<RawDigest>& candidates) const {
  std::vector<RawDigest> loose;
  INGOT_CHECK(add_digests("SELECT digest FROM loose_blobs", loose));
  candidates.insert(candidates.end(), loose.begin(), loose.end());
  if (dry_run || loose.empty()) return {};
  // Whatever was noted between the look and this has stopped to be referred to before the look at references below.
  return database_.transaction([&]() -> Status {
    for (const auto& raw : loose) {
      INGOT_TRY(auto deletion, database_.prepare("DELETE FROM loose_blobs WHERE digest = ?"));
      INGOT_CHECK(deletion.bind(1, from_raw(raw).str()).run());
    }
    return {};
  });
}

Status Sweeper::drop_known_to_database(std::vector<RawDigest>& candidates) const {
  constexpr std::size_t kBatch = 500;  // for so many lookups nobody else has the database
  std::vector<RawDigest> loose;
  for (std::size_t from = 0; from < candidates.size(); from += kBatch) {
    INGOT_CHECK(database_.read([&]() -> Status {
      for (std::size_t i = from; i < std::min(from + kBatch, candidates.size()); ++i) {
        INGOT_TRY(auto query,
                  database_.prepare("SELECT EXISTS (SELECT 1 FROM artifacts WHERE digest = ?1 AND removed_ms IS NULL) "
                                    "OR EXISTS (SELECT 1 FROM layer_blobs WHERE digest = ?1) "
                                    "OR EXISTS (SELECT 1 FROM blob_parts WHERE blob = ?1) "
                                    "OR EXISTS (SELECT 1 FROM packed_layers WHERE digest = ?1)"));
        INGOT_CHECK(query.bind(1, from_raw(candidates[i]).str()).step());
        if (query.number(0) == 0) loose.push_back(candidates[i]);
      }
      return {};
    }));
  }
  candidates = std::move(loose);
  return {};
}

// Those that something refers to are no candidates any more. `going`: contexts that count as gone.
Status Sweeper::drop_referenced(std::vector<RawDigest>& candidates, const std::set<RawDigest>& going) const {
  INGOT_CHECK(drop_known_to_database(candidates));
  if (candidates.empty()) return {};
  std::vector<bool> referenced(candidates.size(), false);
  const auto mark = [&](const std::vector<RawDigest>& digests) {
    for (const auto& raw : digests) {
      const auto found = std::lower_bound(candidates.begin(), candidates.end(), raw);
      if (found != candidates.end() && *found == raw) {
        referenced[static_cast<std::size_t>(found - candidates.begin())] = true;
      }
    }
  };
  std::vector<std::pair<RawDigest, bool>> images;  // with whether it is an index
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare(
                  "SELECT DISTINCT digest, media_type FROM artifacts WHERE media_type IN (?, ?) AND removed_ms IS "
                  "NULL"));
    query.bind(1, proto::kManifestMediaType).bind(2, proto::kIndexMediaType);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      const bool is_index = query.text(1) == proto::kIndexMediaType;
      if (auto digest = base::Digest::parse(query.text(0))) images.emplace_back(to_raw(*digest), is_index);
    }
  }));
  for (const auto& [image, is_index] : images) {
    INGOT_TRY(const auto named, named_by_image(image, kLargestImageManifest));
    mark(named);
    if (!is_index) continue;
    for (const auto& manifest : named) {
      INGOT_TRY(const auto parts, named_by_image(manifest, kLargestImageManifest));
      mark(parts);
    }
  }
  INGOT_CHECK(contexts_.read_all([&](const base::Digest& context, const std::string& text) {
    if (!going.contains(to_raw(context))) mark(digests_in_text(text));
  }));
  std::vector<RawDigest> loose;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!referenced[i]) loose.push_back(candidates[i]);
  }
  candidates = std::move(loose);
  return {};
}

// What a blob names, if it is an image's manifest or an index of some. One that is there and cannot be read is an
// error: what it names must not be taken for nobody's.
Result<std::vector<RawDigest>> Sweeper::named_by_image(const RawDigest& raw, std::uint64_t limit) const {
  const fs::path path = blobs_.path(from_raw(raw));
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) > limit) {
    return std::vector<RawDigest>{};
  }
  const auto text = sys::read_file(path, limit);
  if (!text) return base::fail(text.error());
  const auto names = [&](const char* list) { return text->find(list) != std::string::npos; };
  if (!text->starts_with('{') || (!names("\"layers\"") && !names("\"manifests\""))) return std::vector<RawDigest>{};
  return digests_in_text(*text);
}

}  // namespace ingot::store
