#include "daemon/image/packer.h"

#include "daemon/image/parallel_compressor.h"

namespace ingot::image {

Result<LayerBlob> pack(const store::BlobStore& blobs, proto::Compression compression, const sys::CancelToken& cancel,
                       const std::function<Status(const TarSink&)>& write) {
  INGOT_TRY(auto writer, blobs.begin());
  base::Hasher tar;
  ParallelCompressor compressor(compression, [&](std::string_view bytes) { return writer.write(bytes); });
  INGOT_CHECK(write([&](std::string_view bytes) -> Status {
    if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
    tar.update(bytes);
    return compressor.write(bytes);
  }));
  INGOT_CHECK(compressor.finish());
  LayerBlob blob;
  blob.media_type = compression == proto::Compression::zstd ? kZstdLayerType : kGzipLayerType;
  blob.size = writer.size();
  blob.diff_id = tar.finish();
  INGOT_TRY(blob.digest, writer.commit(store::Durability::now));
  return blob;
}

}  // namespace ingot::image
