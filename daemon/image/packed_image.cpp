#include "daemon/image/packed_image.h"

#include <nlohmann/json.hpp>

#include "daemon/image/layout.h"
#include "proto/codec.h"

namespace ingot::image {

namespace {

Result<base::Digest> write_document(const nlohmann::json& document, const store::BlobStore& blobs) {
  INGOT_TRY(auto writer, blobs.begin());
  INGOT_CHECK(writer.write(proto::dump(document)));
  return writer.commit(store::Durability::now);
}

}  // namespace

Result<base::Digest> packed_image(const base::Digest& image, proto::Compression compression, LayerBlobs& layers,
                                  const store::BlobStore& blobs, const sys::CancelToken& cancel) {
  if (compression == proto::Compression::none) return image;
  INGOT_TRY(auto document, read_document(image, blobs));
  bool changed = false;
  if (document.contains("manifests")) {
    for (auto& one : document["manifests"]) {
      INGOT_TRY(const auto digest, base::Digest::parse(one.value("digest", "")));
      INGOT_TRY(const auto packed, packed_image(digest, compression, layers, blobs, cancel));
      if (packed == digest) continue;
      INGOT_TRY(const auto manifest, read_document(packed, blobs));
      one["digest"] = packed.str();
      one["size"] = proto::dump(manifest).size();
      changed = true;
    }
    return changed ? write_document(document, blobs) : image;
  }
  for (auto& layer : document["layers"]) {
    INGOT_TRY(const auto digest, base::Digest::parse(layer.value("digest", "")));
    if (layer.value("mediaType", "") != kTarLayerType || blobs.has(digest)) continue;
    INGOT_TRY(const auto packed, layers.packed(digest, compression, cancel));
    layer["mediaType"] = packed.media_type;
    layer["digest"] = packed.digest.str();
    layer["size"] = packed.size;
    changed = true;
  }
  return changed ? write_document(document, blobs) : image;
}

}  // namespace ingot::image
