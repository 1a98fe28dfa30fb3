#include "daemon/api/job_results.h"

#include <nlohmann/json.hpp>

#include "daemon/api/image_documents.h"
#include "daemon/base/platform.h"
#include "daemon/edge/pack_manifest.h"

namespace ingot::api {

namespace {

proto::JobImage image_of(const std::string& digest, const nlohmann::json& manifest) {
  const auto config = manifest.value("config", nlohmann::json::object());
  proto::JobImage image;
  image.digest = digest;
  image.config = config.value("digest", "");
  image.size = proto::dump(manifest).size() + size_of_manifest(manifest).bytes;
  for (const auto& layer : manifest.value("layers", nlohmann::json::array())) {
    image.layers.push_back({layer.value("digest", ""), size_in(layer), layer.value("mediaType", "")});
  }
  image.annotations = manifest.value("annotations", std::map<std::string, std::string>());
  return image;
}

// The images behind an artifact: one, or those of its index. One whose manifest is gone says nothing.
void add_images(const Services& services, const proto::Artifact& artifact, std::vector<proto::JobImage>& images) {
  const auto document = image_document(services.blobs, artifact.digest);
  if (document.empty()) return;
  if (artifact.media_type == proto::kManifestMediaType) {
    auto image = image_of(artifact.digest, document);
    image.name = artifact.name;
    image.platform = artifact.platforms.empty() ? base::native_platform().text() : artifact.platforms.front();
    images.push_back(std::move(image));
    return;
  }
  std::size_t number = 0;
  for (const auto& entry : document.value("manifests", nlohmann::json::array())) {
    const std::string digest = entry.value("digest", "");
    auto image = image_of(digest, image_document(services.blobs, digest));
    image.name = artifact.name;
    image.index = artifact.digest;
    // An index is in the order of the artifact's platforms.
    if (number < artifact.platforms.size()) image.platform = artifact.platforms[number];
    ++number;
    images.push_back(std::move(image));
  }
}

}  // namespace

Result<proto::JobResults> job_results(const Services& services, const proto::Job& job) {
  proto::JobResults results;
  INGOT_TRY(results.artifacts, services.jobs.artifacts(job.id));
  for (const auto& artifact : results.artifacts) {
    const bool is_image =
        artifact.media_type == proto::kManifestMediaType || artifact.media_type == proto::kIndexMediaType;
    if (is_image && artifact.removed_ms == 0) add_images(services, artifact, results.images);
  }
  std::vector<edge::ProviderImage> provider_images;
  for (const auto& image : results.images) {
    if (auto one = edge::provider_image(image.name, image.annotations, job.spec.args)) {
      provider_images.push_back(*std::move(one));
    }
  }
  results.pack_manifest = edge::pack_manifest(provider_images);
  return results;
}

}  // namespace ingot::api
