#include "daemon/image/oci_index.h"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/image/oci_config.h"
#include "daemon/sys/file_bytes.h"
#include "proto/codec.h"
#include "proto/fields.h"

namespace ingot::image {

namespace {

using base::fail;
using nlohmann::json;
using sys::fs::path;

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr std::uint64_t kLargestDocument = 16U << 20;

Result<Descriptor> read_descriptor(const json& body) {
  Descriptor descriptor;
  proto::Fields fields(body, "descriptor");
  fields.require("digest");
  fields.read("digest", descriptor.digest);
  fields.read("mediaType", descriptor.media_type);
  fields.require("size");
  fields.read_integer("size", descriptor.size);
  INGOT_CHECK(fields.done());
  if (const auto* annotations = fields.find("annotations")) {
    proto::Fields(*annotations, "annotations").read(kRefName, descriptor.name);
  }
  if (const auto* platform = fields.find("platform")) {
    proto::Fields parts(*platform, "platform");
    parts.read("architecture", descriptor.architecture);
    parts.read("os", descriptor.os);
    parts.read("variant", descriptor.variant);
  }
  return descriptor;
}

tl::unexpected<Error> damaged(const Descriptor& descriptor, const std::string& why) {
  return fail(ErrorKind::invalid, "the image's blob " + descriptor.digest + " is damaged: " + why,
              "fetch or write the image again");
}

Result<path> blob_of(const path& layout, const Descriptor& descriptor) {
  INGOT_TRY(auto digest, base::Digest::parse(descriptor.digest));
  const path file = layout / "blobs" / "sha256" / digest.hex();
  std::error_code error;
  const auto size = sys::fs::file_size(file, error);
  if (error) return fail(ErrorKind::invalid, "the image's blob " + descriptor.digest + " is not in " + layout.string());
  if (size == descriptor.size) return file;
  return damaged(descriptor, "it has " + std::to_string(size) + " bytes, not " + std::to_string(descriptor.size));
}

Result<json> read_document(const path& layout, const Descriptor& descriptor) {
  INGOT_TRY(auto file, blob_of(layout, descriptor));
  INGOT_TRY(auto text, sys::read_file(file, kLargestDocument));
  if (base::Digest::of(text).str() != descriptor.digest) return damaged(descriptor, "its bytes have another digest");
  INGOT_TRY(auto document, proto::parse_json(text));
  if (!document.is_object()) return damaged(descriptor, "it is no JSON object");
  return document;
}

bool is_index(const Descriptor& descriptor, const json& document) {
  return descriptor.media_type.ends_with("image.index.v1+json") ||
         descriptor.media_type.ends_with("manifest.list.v2+json") || document.contains("manifests");
}

base::Platform platform_of(const Descriptor& descriptor) {
  return base::normalized({descriptor.os, descriptor.architecture, descriptor.variant});
}

// Less is better, and what does not serve at all has nothing. What does not say what it is for comes last.
std::optional<int> rank(const Descriptor& descriptor, const base::Platform& wanted) {
  constexpr int kLast = 100;
  if (descriptor.architecture.empty() && (descriptor.os.empty() || descriptor.os == wanted.os)) return kLast;
  const int distance = base::distance(platform_of(descriptor), wanted);
  return distance < 0 ? std::nullopt : std::optional(distance);
}

std::vector<Descriptor> for_platform(const std::vector<Descriptor>& all, const base::Platform& wanted) {
  std::vector<Descriptor> serving;
  for (const auto& one : all) {
    if (rank(one, wanted)) serving.push_back(one);
  }
  std::stable_sort(serving.begin(), serving.end(),
                   [&](const Descriptor& a, const Descriptor& b) { return *rank(a, wanted) < *rank(b, wanted); });
  return serving;
}

// What stands beside an image in its index, such as how it was built, is for "unknown".
tl::unexpected<Error> nothing_for(const base::Platform& wanted, const std::vector<Descriptor>& all) {
  std::vector<std::string> platforms;
  for (const auto& one : all) {
    if (one.architecture.empty() || one.architecture == "unknown") continue;
    const std::string text = base::printable(platform_of(one).text());
    if (std::find(platforms.begin(), platforms.end(), text) == platforms.end()) platforms.push_back(text);
  }
  return fail(ErrorKind::not_found, "the image has nothing for " + wanted.text(),
              platforms.empty() ? "" : "it has: " + base::join(platforms, ", "));
}

// Of an image that comes without an index its own word is all that there is.
Status check_platform(const json& config, const base::Platform& wanted, bool& says_so) {
  Descriptor own;
  proto::Fields fields(config, "image config");
  fields.read("os", own.os);
  fields.read("architecture", own.architecture);
  fields.read("variant", own.variant);
  INGOT_CHECK(fields.done());
  says_so = !own.architecture.empty();
  if (!says_so) return {};
  base::Platform platform = platform_of(own);
  // Most that build for arm do not say which one.
  if (platform.architecture == wanted.architecture && own.variant.empty()) platform.variant = wanted.variant;
  if (base::distance(platform, wanted) >= 0) return {};
  const std::string text = base::printable(platform.text());
  return fail(ErrorKind::not_found, "the image is for " + text + ", and wanted is one for " + wanted.text(),
              "FROM --platform=" + text + " takes it as what it is");
}

Result<std::vector<Descriptor>> read_list(const json& document, const char* key) {
  std::vector<Descriptor> list;
  auto found = document.find(key);
  if (found == document.end() || !found->is_array()) {
    return fail(ErrorKind::invalid, std::string("the image has no list of ") + key);
  }
  for (const auto& body : *found) {
    INGOT_TRY(auto descriptor, read_descriptor(body));
    list.push_back(std::move(descriptor));
  }
  return list;
}

// Of the images in the layout, those that may be meant by the choice's names: one is meant whatever its name.
Result<std::vector<Descriptor>> narrow(const std::vector<Descriptor>& all, const Choice& choice) {
  std::vector<Descriptor> named;
  std::vector<std::string> names;
  for (const auto& descriptor : all) {
    const auto& wanted = choice.names;
    if (std::find(wanted.begin(), wanted.end(), descriptor.name) != wanted.end()) named.push_back(descriptor);
    names.push_back(descriptor.name.empty() ? "one without a name" : descriptor.name);
  }
  const bool several =
      std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.name != all.front().name; });
  if (!named.empty() || !several || choice.names.empty()) return named.empty() ? all : named;
  return fail(ErrorKind::not_found, "the layout has no image named \"" + choice.names.front() + "\"",
              "it has: " + base::join(names, ", "));
}

struct Found {
  json manifest;
  std::string digest;      // of the candidate that is it, or that led to it
  bool is_chosen = false;  // what named it said for which platform
};

class ManifestFinder {
 public:
  ManifestFinder(const path& layout, const Choice& choice) : layout_(layout), choice_(choice) {}

  Result<Found> find(const std::vector<Descriptor>& candidates, bool digest_seen, int depth) const {
    constexpr int kDeepest = 4;
    if (depth > kDeepest) return fail(ErrorKind::invalid, "the image's indexes are nested too deep");
    std::optional<Error> below;  // what an index says that is one of them
    for (const auto& candidate : for_platform(candidates, choice_.platform)) {
      const bool seen = digest_seen || choice_.digest.empty() || candidate.digest == choice_.digest;
      INGOT_TRY(auto document, read_document(layout_, candidate));
      if (!is_index(candidate, document)) {
        if (seen) return Found{std::move(document), candidate.digest, !candidate.architecture.empty()};
        continue;
      }
      INGOT_TRY(auto list, read_list(document, "manifests"));
      auto found = find(list, seen, depth + 1);
      if (found) found->digest = candidate.digest;
      if (found || found.error().kind != ErrorKind::not_found) return found;
      below = found.error();
    }
    if (!digest_seen && !choice_.digest.empty()) {
      return fail(ErrorKind::not_found, "the layout has no image " + choice_.digest);
    }
    return below ? fail(*std::move(below)) : nothing_for(choice_.platform, candidates);
  }

 private:
  const path& layout_;
  const Choice& choice_;
};

}  // namespace

Result<OciImage> read_oci_image(const path& layout, const Choice& choice) {
  auto text = sys::read_file(layout / "index.json", kLargestDocument);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "there is no OCI image layout in " + layout.string(),
                "such a directory has an index.json and blobs/");
  }
  if (!text) return fail(text.error());
  auto index = proto::parse_json(*text);
  if (!index) return fail(base::with_context(index.error(), "in " + (layout / "index.json").string()));
  INGOT_TRY(auto all, read_list(*index, "manifests"));
  INGOT_TRY(auto candidates, narrow(all, choice));
  INGOT_TRY(auto found, ManifestFinder(layout, choice).find(candidates, false, 0));
  const json& manifest = found.manifest;

  OciImage image;
  image.digest = choice.digest.empty() ? found.digest : choice.digest;
  auto config = manifest.find("config");
  if (config == manifest.end()) return fail(ErrorKind::invalid, "the image's manifest has no config");
  INGOT_TRY(auto descriptor, read_descriptor(*config));
  const std::string& type = descriptor.media_type;
  if (!type.empty() && !type.ends_with("image.config.v1+json") && !type.ends_with("container.image.v1+json")) {
    return fail(ErrorKind::invalid, "it is no container image: its config is " + base::printable(type));
  }
  INGOT_TRY(auto document, read_document(layout, descriptor));
  INGOT_TRY(image.config, read_image_config(document));
  image.names_platform = found.is_chosen || choice.is_chosen;
  if (!image.names_platform) INGOT_CHECK(check_platform(document, choice.platform, image.names_platform));
  if (const auto rootfs = document.find("rootfs"); rootfs != document.end()) {
    proto::Fields fields(*rootfs, "image config rootfs");
    fields.read("diff_ids", image.diff_ids);
    INGOT_CHECK(fields.done());
  }
  INGOT_TRY(image.layers, read_list(manifest, "layers"));
  return image;
}

Result<std::optional<std::string>> manifest_for(const std::string& answer, const base::Platform& platform) {
  const auto document = proto::parse_json(answer);
  if (!document || !document->is_object() || !document->contains("manifests")) return std::optional<std::string>();
  INGOT_TRY(const auto all, read_list(*document, "manifests"));
  const auto serving = for_platform(all, platform);
  if (serving.empty()) return nothing_for(platform, all);
  return std::optional(serving.front().digest);
}

Result<path> checked_blob(const path& layout, const Descriptor& descriptor,
                          const std::function<Status(std::string_view)>& also) {
  INGOT_TRY(auto file, blob_of(layout, descriptor));
  INGOT_TRY(auto fd, sys::open_file(file, O_RDONLY));
  base::Hasher hasher;
  INGOT_CHECK(sys::read_bytes(fd.get(), "cannot read " + file.string(), [&](std::string_view bytes) -> Status {
    hasher.update(bytes);
    return also ? also(bytes) : Status{};
  }));
  if (hasher.finish().str() != descriptor.digest) return damaged(descriptor, "its bytes have another digest");
  return file;
}

}  // namespace ingot::image
