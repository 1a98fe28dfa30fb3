#include "daemon/image/parallel_compressor.h"

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <thread>

namespace ingot::image {

namespace {

using proto::Compression;

// What is compressed by itself finds nothing that it repeats of the piece before; zstd looks further back than gzip.
constexpr std::size_t kGzipPiece = 1U << 20;
constexpr std::size_t kZstdPiece = 4U << 20;
// A layer is made once and travels a few times inside of a data centre: speed counts for more than the last percent.
constexpr int kGzipLevel = 4;
constexpr int kZstdLevel = 1;

Result<std::string> gzip(const std::string& bytes) {
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
      libdeflate_alloc_compressor(kGzipLevel), libdeflate_free_compressor);
  std::string member(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  member.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), member.data(), member.size()));
  return member;
}

Result<std::string> zstd(const std::string& bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) {
    return base::fail(ErrorKind::internal, std::string("zstd cannot compress: ") + ZSTD_getErrorName(size));
  }
  frame.resize(size);
  return frame;
}

}  // namespace

ParallelCompressor::ParallelCompressor(Compression compression, Sink sink)
    : compression_(compression),
      piece_size_(compression == Compression::zstd ? kZstdPiece : kGzipPiece),
      sink_(std::move(sink)) {
  piece_.reserve(piece_size_);
}

// What is under way refers to nothing here; its futures wait for it.
ParallelCompressor::~ParallelCompressor() = default;

Status ParallelCompressor::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), piece_size_ - piece_.size());
    piece_.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (piece_.size() == piece_size_) INGOT_CHECK(start_piece());
  }
  return {};
}

Status ParallelCompressor::start_piece() {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  while (under_way_.size() > cores) INGOT_CHECK(take_oldest());
  under_way_.push_back(
      std::async(std::launch::async, compression_ == Compression::zstd ? zstd : gzip, std::move(piece_)));
  wrote_ = true;
  piece_.clear();
  piece_.reserve(piece_size_);
  return {};
}

Status ParallelCompressor::take_oldest() {
  INGOT_TRY(const std::string compressed, under_way_.front().get());
  under_way_.pop_front();
  return sink_(compressed);
}

Status ParallelCompressor::finish() {
  if (!piece_.empty() || !wrote_) INGOT_CHECK(start_piece());  // nothing at all is one empty member or frame
  while (!under_way_.empty()) INGOT_CHECK(take_oldest());
  return {};
}

}  // namespace ingot::image
