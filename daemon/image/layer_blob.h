#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/base/digest.h"
#include "proto/types.h"

namespace ingot::image {

inline constexpr const char* kTarLayerType = "application/vnd.oci.image.layer.v1.tar";
inline constexpr const char* kGzipLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr const char* kZstdLayerType = "application/vnd.oci.image.layer.v1.tar+zstd";

// How a layer is packed.
struct LayerForm {
  proto::Compression compression = proto::Compression::gzip;
  std::optional<std::int64_t> latest;  // no file is later than that: SOURCE_DATE_EPOCH
};

// A layer as an image carries it: a tar, mostly a compressed one. One that is not is composed of the layer's own files.
struct LayerBlob {
  base::Digest digest;
  base::Digest diff_id;  // of the tar
  std::uint64_t size = 0;
  std::string media_type = kGzipLayerType;
};

}  // namespace ingot::image
