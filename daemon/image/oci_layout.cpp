#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/image/layer_unpack.h"
#include "daemon/image/source.h"
#include "proto/codec.h"
#include "proto/fields.h"

namespace ingot::image {

namespace {

using base::fail;
using nlohmann::json;
using store::fs::path;

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr std::uint64_t kLargestDocument = 16U << 20;

struct Descriptor {
  std::string digest;
  std::string media_type;
  std::string name;          // its annotation ref.name
  std::string architecture;  // of its platform; "" when it states none
  std::string os;
};

#if defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#else
constexpr const char* kArchitecture = "amd64";
#endif

Descriptor read_descriptor(const json& body) {
  Descriptor descriptor;
  proto::Fields fields(body, "descriptor");
  fields.read("digest", descriptor.digest);
  fields.read("mediaType", descriptor.media_type);
  if (const auto* annotations = fields.find("annotations")) {
    proto::Fields(*annotations, "annotations").read(kRefName, descriptor.name);
  }
  if (const auto* platform = fields.find("platform")) {
    proto::Fields parts(*platform, "platform");
    parts.read("architecture", descriptor.architecture);
    parts.read("os", descriptor.os);
  }
  return descriptor;
}

Result<path> blob_path(const path& layout, const std::string& digest) {
  INGOT_TRY(auto parsed, base::Digest::parse(digest));
  return layout / "blobs" / "sha256" / parsed.hex();
}

// A JSON document of the layout, its digest checked.
Result<json> read_document(const path& layout, const std::string& digest) {
  INGOT_TRY(auto file, blob_path(layout, digest));
  INGOT_TRY(auto text, sys::read_file(file, kLargestDocument));
  if (base::Digest::of(text).str() != digest) {
    return fail(ErrorKind::invalid, "the image's document " + digest + " is damaged: its bytes have another digest");
  }
  return proto::parse_json(text);
}

Status check_blob(const path& file, const std::string& digest) {
  INGOT_TRY(auto fd, sys::open_file(file, O_RDONLY));
  base::Hasher hasher;
  std::vector<char> buffer(1 << 20);
  while (true) {
    ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "cannot read " + file.string());
    if (got == 0) break;
    hasher.update(buffer.data(), static_cast<std::size_t>(got));
  }
  if (hasher.finish().str() == digest) return {};
  return fail(ErrorKind::invalid, "the image's layer " + digest + " is damaged: its bytes have another digest");
}

bool is_index(const Descriptor& descriptor) {
  return descriptor.media_type.ends_with("image.index.v1+json") ||
         descriptor.media_type.ends_with("manifest.list.v2+json");
}

// Follows indexes to the manifest for this machine.
Result<json> find_manifest(const path& layout, const json& index, const std::string& wanted_name, int depth = 0) {
  constexpr int kDeepest = 4;
  if (depth > kDeepest) return fail(ErrorKind::invalid, "the image's indexes are nested too deep");
  std::vector<Descriptor> candidates;
  std::vector<std::string> platforms;
  if (auto list = index.find("manifests"); list != index.end() && list->is_array()) {
    for (const auto& body : *list) {
      Descriptor descriptor = read_descriptor(body);
      if (!descriptor.architecture.empty()) platforms.push_back(descriptor.os + "/" + descriptor.architecture);
      const bool other_machine = !descriptor.architecture.empty() && descriptor.architecture != kArchitecture;
      if (!other_machine && descriptor.os != "unknown") candidates.push_back(std::move(descriptor));
    }
  }
  const Descriptor* chosen = nullptr;
  for (const auto& candidate : candidates) {
    if (chosen == nullptr || (!wanted_name.empty() && candidate.name == wanted_name)) chosen = &candidate;
  }
  if (chosen == nullptr) {
    return fail(ErrorKind::not_found, std::string("the image has nothing for linux/") + kArchitecture,
                platforms.empty() ? "" : "it has: " + base::join(platforms, ", "));
  }
  const bool several_names = depth == 0 && candidates.size() > 1 && !wanted_name.empty() && chosen->name != wanted_name;
  if (several_names) return fail(ErrorKind::not_found, "the layout has no image named \"" + wanted_name + "\"");
  INGOT_TRY(auto document, read_document(layout, chosen->digest));
  if (is_index(*chosen) || document.contains("manifests")) return find_manifest(layout, document, "", depth + 1);
  return document;
}

graph::ImageConfig read_config(const json& document) {
  graph::ImageConfig config;
  auto section = document.find("config");
  if (section == document.end()) return config;
  proto::Fields fields(*section, "image config");
  std::vector<std::string> env;
  std::map<std::string, std::string> labels;
  fields.read("Env", env);
  fields.read("WorkingDir", config.working_dir);
  fields.read("User", config.user);
  fields.read("Entrypoint", config.entrypoint);
  fields.read("Cmd", config.cmd);
  fields.read("Labels", labels);
  if (config.working_dir.empty()) config.working_dir = "/";
  for (const auto& pair : env) {
    std::size_t equals = pair.find('=');
    config.env.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
  config.labels.assign(labels.begin(), labels.end());
  return config;
}

}  // namespace

Result<Fetched> unpack_oci_layout(const Fetch& fetch, const path& layout, const std::string& wanted_name) {
  INGOT_TRY(auto index_text, sys::read_file(layout / "index.json", kLargestDocument));
  auto index = proto::parse_json(index_text);
  if (!index) return fail(base::with_context(index.error(), "in " + (layout / "index.json").string()));
  INGOT_TRY(auto manifest, find_manifest(layout, *index, wanted_name));
  auto config = manifest.find("config");
  auto layers = manifest.find("layers");
  if (config == manifest.end() || layers == manifest.end() || !layers->is_array()) {
    return fail(ErrorKind::invalid, "the image's manifest has no config or layers");
  }
  Fetched fetched;
  INGOT_TRY(auto config_document, read_document(layout, read_descriptor(*config).digest));
  fetched.config = read_config(config_document);
  fetched.source = "oci-layout " + layout.string();

  std::optional<store::SnapshotId> parent;
  std::vector<store::SnapshotId> made;
  auto add_layer = [&](const std::string& digest) -> Status {
    if (fetch.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    INGOT_TRY(auto file, blob_path(layout, digest));
    INGOT_CHECK(check_blob(file, digest));
    INGOT_TRY(auto pending, fetch.snapshots.begin(parent));
    INGOT_CHECK(unpack_layer(file, pending.upper()));
    INGOT_TRY(parent, fetch.snapshots.commit(std::move(pending)));
    made.push_back(*parent);
    return {};
  };
  std::size_t number = 0;
  for (const auto& layer : *layers) {
    fetch.progress("unpacking layer " + std::to_string(++number) + " of " + std::to_string(layers->size()));
    if (auto added = add_layer(read_descriptor(layer).digest); !added) {
      for (auto id = made.rbegin(); id != made.rend(); ++id) (void)fetch.snapshots.remove(*id);
      return fail(added.error());
    }
  }
  if (!parent) {
    INGOT_TRY(auto empty, fetch.snapshots.begin(std::nullopt));
    INGOT_TRY(parent, fetch.snapshots.commit(std::move(empty)));
  }
  fetched.snapshot = *parent;
  return fetched;
}

Result<Fetched> fetch_from_oci_layout(const Fetch& fetch) {
  const std::string directory = fetch.option("path");
  if (directory.empty()) return fail(ErrorKind::invalid, "the rule for " + fetch.rule.match + " has no option path");
  return unpack_oci_layout(fetch, directory, fetch.reference.tag);
}

}  // namespace ingot::image
