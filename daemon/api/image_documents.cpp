#include "daemon/api/image_documents.h"

#include <nlohmann/json.hpp>

#include "daemon/base/digest.h"
#include "daemon/sys/files.h"
#include "proto/codec.h"

namespace ingot::api {

nlohmann::json image_document(const store::BlobStore& blobs, const std::string& digest) {
  const auto parsed = base::Digest::parse(digest);
  if (!parsed) return {};
  const auto text = sys::read_file(blobs.path(*parsed));
  if (!text) return {};
  auto document = proto::parse_json(*text);
  return document && document->is_object() ? *std::move(document) : nlohmann::json();
}

std::uint64_t size_in(const nlohmann::json& descriptor) {
  return descriptor.value("size", std::uint64_t{0});
}

ManifestSize size_of_manifest(const nlohmann::json& manifest) {
  ManifestSize size;
  size.bytes = size_in(manifest.value("config", nlohmann::json::object()));
  for (const auto& layer : manifest.value("layers", nlohmann::json::array())) {
    size.bytes += size_in(layer);
    ++size.layers;
  }
  return size;
}

}  // namespace ingot::api
