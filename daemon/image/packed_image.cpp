#include "daemon/image/packed_image.h"

#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::image {

Result<base::Digest> packed_image(const base::Digest& manifest, proto::Compression compression, LayerBlobs& layers,
                                  const store::BlobStore& blobs, const sys::CancelToken& cancel) {
  if (compression == proto::Compression::none) return manifest;
  INGOT_TRY(const auto text, sys::read_file(blobs.path(manifest)));
  INGOT_TRY(auto document, proto::parse_json(text));
  bool changed = false;
  for (auto& layer : document["layers"]) {
    INGOT_TRY(const auto digest, base::Digest::parse(layer.value("digest", "")));
    if (layer.value("mediaType", "") != kTarLayerType || blobs.has(digest)) continue;
    INGOT_TRY(const auto packed, layers.packed(digest, compression, cancel));
    layer["mediaType"] = packed.media_type;
    layer["digest"] = packed.digest.str();
    layer["size"] = packed.size;
    changed = true;
  }
  if (!changed) return manifest;
  INGOT_TRY(auto writer, blobs.begin());
  INGOT_CHECK(writer.write(proto::dump(document)));
  return writer.commit(store::Durability::now);
}

}  // namespace ingot::image
