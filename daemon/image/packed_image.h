#pragma once

#include "daemon/image/layer_blobs.h"

namespace ingot::image {

// The image as it travels: layers that are only composed here are packed, each once, and what is packed already stays
// as it is. The digest of its manifest or index, which is another one then.
Result<base::Digest> packed_image(const base::Digest& image, proto::Compression compression, LayerBlobs& layers,
                                  const store::BlobStore& blobs, const sys::CancelToken& cancel);

}  // namespace ingot::image
