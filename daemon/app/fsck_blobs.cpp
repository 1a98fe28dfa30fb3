#include <fcntl.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/app/fsck_parts.h"
#include "daemon/base/clock.h"
#include "daemon/base/strings.h"
#include "daemon/store/sweeper.h"
#include "daemon/sys/file_bytes.h"
#include "daemon/sys/files.h"
#include "proto/codec.h"
#include "proto/image.h"

namespace ingot::app {

namespace {

constexpr std::uint64_t kLargestManifest = 1ULL << 30;

Result<base::Digest> digest_of(const fs::path& file) {
  INGOT_TRY(auto fd, sys::open_file(file, O_RDONLY));
  base::Hasher hasher;
  INGOT_CHECK(sys::read_bytes(fd.get(), "cannot read " + file.string(), [&](std::string_view bytes) -> Status {
    hasher.update(bytes);
    return {};
  }));
  return hasher.finish();
}

void remove_file(FsckRun& run, const fs::path& file, const std::string& why) {
  std::error_code error;
  if (fs::remove(file, error))
    run.mended(why + ": removed");
  else
    run.left(fmt::format("{}, and {} cannot be removed: {}", why, file.string(), error.message()));
}

// Of what is composed of blobs; none when it is not. Those that lack a part are forgotten before anybody asks.
std::optional<std::uint64_t> composed_size(const FsckRun& run, const base::Digest& digest) {
  const auto rows = run.rows("SELECT size FROM composed_blobs WHERE digest = '" + digest.str() + "'", 1);
  return rows && !rows->empty() ? std::optional(std::stoull(rows->front()[0])) : std::nullopt;
}

// What is wrong with a blob that somebody refers to; "": nothing.
// Bytes that are not what their name says go at once, so that nobody finds them who makes the same again.
std::string problem_of(FsckRun& run, const std::string& digest_text, std::optional<std::uint64_t> size) {
  const auto digest = base::Digest::parse(digest_text);
  if (!digest) return "its digest is none";
  std::error_code absent;
  const auto found = fs::file_size(run.blob(*digest), absent);
  if (absent) return composed_size(run, *digest) ? "" : "its bytes are not there";
  if (!size || *size == found) return "";
  if (auto real = digest_of(run.blob(*digest)); real && *real != *digest) {
    remove_file(run, run.blob(*digest), "blob " + digest->str() + " has other content than its name says");
    return "its bytes were damaged";
  }
  return fmt::format("it has {} bytes, and should have {}", found, *size);
}

// The same of what an image's manifest names, or an index: its manifests, and what those name.
std::string problem_of_parts(FsckRun& run, const std::string& manifest_digest) {
  auto text = sys::read_file(run.blob(*base::Digest::parse(manifest_digest)));
  if (!text) return text.error().message;
  auto manifest = proto::parse_json(*text);
  if (!manifest || !manifest->is_object()) return "its manifest does not parse";
  std::vector<nlohmann::json> parts;
  if (manifest->contains("config")) parts.push_back((*manifest)["config"]);
  for (const char* list : {"layers", "manifests"}) {
    if (!manifest->contains(list) || !(*manifest)[list].is_array()) continue;
    for (const auto& part : (*manifest)[list]) parts.push_back(part);
  }
  for (const auto& part : parts) {
    if (!part.is_object() || !part.contains("digest") || !part["digest"].is_string())
      return "its manifest names no digest";
    const std::string digest = part["digest"];
    auto why = problem_of(run, digest, std::nullopt);
    if (why.empty() && manifest->contains("manifests")) why = problem_of_parts(run, digest);
    if (!why.empty()) return "of its part " + digest + ": " + why;
  }
  return "";
}

Result<std::string> problem_of_context(FsckRun& run, const fs::path& file, const base::Digest& name) {
  INGOT_TRY(auto text, sys::read_file(file, kLargestManifest));
  auto parsed = proto::parse_json(text);
  if (!parsed) return "it does not parse: " + parsed.error().message;
  auto manifest = proto::manifest_from_json(*parsed);
  if (!manifest) return "it does not parse: " + manifest.error().message;
  if (base::Digest::of(proto::canonical_text(*manifest)) != name) return std::string("it is not what its name says");
  for (const auto& entry : manifest->entries) {
    if (entry.type != proto::EntryType::file) continue;
    const auto why = problem_of(run, entry.digest, entry.size);
    if (!why.empty()) return "of its file " + base::printable(entry.path) + ": " + why;
  }
  return std::string();
}

}  // namespace

// Only their own content; who refers to them is looked at afterwards.
Status check_blobs(FsckRun& run) {
  if (run.depth != FsckDepth::full) return {};
  for (const auto& part : fsck_entries(run.state / "blobs")) {
    if (part.filename().string().size() != 2) continue;
    for (const auto& file : fsck_entries(part)) {
      auto name = base::Digest::parse("sha256:" + file.filename().string());
      if (!name) continue;
      auto digest = digest_of(file);
      if (!digest)
        run.left(digest.error().message);
      else if (*digest != *name)
        remove_file(run, file, "blob " + name->str() + " has other content than its name says");
    }
  }
  return {};
}

Status check_contexts(FsckRun& run) {
  for (const auto& file : fsck_entries(run.state / "contexts")) {
    auto name = base::Digest::parse("sha256:" + file.stem().string());
    if (!name || file.extension() != ".json") continue;
    auto why = problem_of_context(run, file, *name);
    if (!why)
      run.left("context " + name->str() + ": " + why.error().message);
    else if (!why->empty())
      remove_file(run, file, "context " + name->str() + " cannot be used, " + *why + "; it is to be sent again");
  }
  return {};
}

Status check_composed_blobs(FsckRun& run) {
  INGOT_TRY(auto parts, run.rows("SELECT composed, blob, offset + size FROM blob_parts", 3));
  for (const auto& part : parts) {
    const auto blob = base::Digest::parse(part[1]);
    std::error_code absent;
    if (blob && fs::file_size(run.blob(*blob), absent) >= std::stoull(part[2]) && !absent) continue;
    if (!composed_size(run, *base::Digest::parse(part[0]))) continue;  // another part of it was missing
    INGOT_CHECK(run.change("DELETE FROM composed_blobs WHERE digest = ?", {part[0]}));
    run.mended(fmt::format("{} is composed of {}, which is lost: forgotten", part[0], part[1]));
  }
  INGOT_TRY(auto packed, run.rows("SELECT diff_id, form, digest, size FROM packed_layers", 4));
  for (const auto& row : packed) {
    const auto why = problem_of(run, row[2], std::stoull(row[3]));
    if (why.empty()) continue;
    INGOT_CHECK(run.change("DELETE FROM packed_layers WHERE diff_id = ? AND form = ?", {row[0], row[1]}));
    run.mended(fmt::format("what was packed of {} is lost, {}: made again when it is wanted", row[0], why));
  }
  return {};
}

Status check_layer_blobs(FsckRun& run) {
  INGOT_TRY(auto rows, run.rows("SELECT snapshot, form, digest, size FROM layer_blobs", 4));
  for (const auto& row : rows) {
    const auto why = problem_of(run, row[2], std::stoull(row[3]));
    if (why.empty()) continue;
    INGOT_CHECK(
        run.change("DELETE FROM layer_blobs WHERE snapshot = CAST(? AS INTEGER) AND form = ?", {row[0], row[1]}));
    run.mended(fmt::format("the image layer of snapshot {} is lost, {}: forgotten, and made again when it is wanted",
                           row[0], why));
  }
  return {};
}

Status check_artifacts(FsckRun& run) {
  INGOT_TRY(auto rows, run.rows("SELECT j.id, a.number, a.name, a.digest, a.size, a.media_type, a.job FROM artifacts a "
                                "JOIN jobs j ON j.seq = a.job WHERE a.removed_ms IS NULL",
                                7));
  for (const auto& row : rows) {
    auto why = problem_of(run, row[3], std::stoull(row[4]));
    const bool is_image = row[5] == proto::kManifestMediaType || row[5] == proto::kIndexMediaType;
    if (why.empty() && is_image) why = problem_of_parts(run, row[3]);
    if (why.empty()) continue;
    INGOT_CHECK(
        run.change("UPDATE artifacts SET removed_ms = CAST(? AS INTEGER) WHERE job = CAST(? AS INTEGER) AND "
                   "number = CAST(? AS INTEGER)",
                   {std::to_string(base::system_clock().unix_ms()), row[6], row[1]}));
    run.mended(fmt::format("artifact {} ({}) of job {} is lost, {}: marked as removed; `ingot retry {}` makes it again",
                           row[1], base::printable(row[2]), row[0], why, row[0]));
  }
  return {};
}

// Last: by then whoever names blobs is right. A daemon that runs finds the same ones and takes its time.
Status check_loose_blobs(FsckRun& run, store::BlobStore& blobs, store::ContextStore& contexts) {
  const store::Sweeper sweeper(run.database, blobs, contexts, {}, base::system_clock());
  INGOT_TRY(const auto loose, sweeper.unreferenced());
  for (const auto& digest : loose) {
    const std::string name = "blob " + digest.str();
    std::uint64_t bytes = 0;
    if (blobs.remove(digest, bytes))
      run.mended(fmt::format("{} is nobody's, {} on the disk: removed", name, base::human_bytes(bytes)));
    else
      run.left(name + " is nobody's, and cannot be removed");
  }
  return {};
}

}  // namespace ingot::app
