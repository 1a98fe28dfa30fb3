#include "daemon/image/built_image.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/image/oci_config.h"
#include "proto/codec.h"

namespace ingot::image {

namespace {

using nlohmann::json;

constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";

// As images say it.
json fields_of(const base::Platform& platform) {
  json fields = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) fields["variant"] = platform.variant;
  return fields;
}

std::string rfc3339(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

struct Kept {
  base::Digest digest;
  std::string checksum;
};

Result<Kept> keep(const store::BlobStore& blobs, const std::string& text) {
  INGOT_TRY(auto writer, blobs.begin());
  INGOT_CHECK(writer.write(text));
  Kept kept;
  kept.checksum = writer.checksum();
  INGOT_TRY(kept.digest, writer.commit(store::Durability::now));
  return kept;
}

json descriptor(const std::string& type, const base::Digest& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", digest.str()}, {"size", size}};
}

}  // namespace

Result<BuiltImage> build_image(const ImageRequest& request, LayerBlobs& layers, const store::BlobStore& blobs,
                               const sys::CancelToken& cancel) {
  INGOT_TRY(auto made, layers.of(request.snapshot, request.form, cancel));
  INGOT_CHECK(blobs.sync_all());  // layers that came with a base, before anything names them for good
  BuiltImage image;
  image.name = request.save.name;
  image.layers = made.size();

  const std::string created = rfc3339(request.form.latest.value_or(request.created));
  json config = write_image_config(request.save.config);
  const base::Platform platform = base::platform_of(request.save.platform);
  config.update(fields_of(platform));
  image.platforms = {platform};
  config["created"] = created;
  json diff_ids = json::array();
  json list = json::array();
  for (const auto& layer : made) {
    diff_ids.push_back(layer.diff_id.str());
    list.push_back(descriptor(layer.media_type, layer.digest, layer.size));
    image.size += layer.size;
  }
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  const std::string config_text = proto::dump(config);
  INGOT_TRY(auto kept_config, keep(blobs, config_text));

  json annotations = request.annotations;
  annotations["org.opencontainers.image.created"] = created;  // whatever a base says of itself
  const json manifest = {{"schemaVersion", 2},
                         {"mediaType", kManifestType},
                         {"config", descriptor(kConfigType, kept_config.digest, config_text.size())},
                         {"layers", std::move(list)},
                         {"annotations", std::move(annotations)}};
  const std::string manifest_text = proto::dump(manifest);
  INGOT_TRY(auto kept, keep(blobs, manifest_text));
  image.digest = kept.digest;
  image.checksum = kept.checksum;
  image.manifest_size = manifest_text.size();
  image.size += config_text.size() + manifest_text.size();
  return image;
}

Result<BuiltImage> build_index(const std::string& name, std::vector<BuiltImage> images, const store::BlobStore& blobs) {
  std::sort(images.begin(), images.end(),
            [](const BuiltImage& a, const BuiltImage& b) { return a.platforms < b.platforms; });
  BuiltImage index;
  index.name = name;
  json manifests = json::array();
  for (const auto& image : images) {
    json entry = descriptor(kManifestType, image.digest, image.manifest_size);
    entry["platform"] = fields_of(image.platforms.front());
    manifests.push_back(std::move(entry));
    index.platforms.push_back(image.platforms.front());
    index.size += image.size;
    index.layers += image.layers;
  }
  const json document = {{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", std::move(manifests)}};
  const std::string text = proto::dump(document);
  INGOT_TRY(auto kept, keep(blobs, text));
  index.digest = kept.digest;
  index.checksum = kept.checksum;
  index.manifest_size = text.size();
  index.size += text.size();
  return index;
}

}  // namespace ingot::image
