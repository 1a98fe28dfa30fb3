#pragma once

#include <functional>
#include <string_view>

#include "daemon/image/layer_blob.h"
#include "daemon/store/blobs.h"
#include "daemon/sys/cancel.h"

namespace ingot::image {

using TarSink = std::function<Status(std::string_view)>;

// A tar, which `write` gives, as a blob that is packed over all cores.
Result<LayerBlob> pack(const store::BlobStore& blobs, proto::Compression compression, const sys::CancelToken& cancel,
                       const std::function<Status(const TarSink&)>& write);

}  // namespace ingot::image
