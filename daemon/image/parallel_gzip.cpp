#include "daemon/image/parallel_gzip.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <thread>

namespace ingot::image {

namespace {

constexpr std::size_t kMember = 1U << 20;
// A layer is made once and travels a few times inside of a data centre: speed counts for more than the last percent.
constexpr int kLevel = 4;

std::string compress(const std::string& bytes) {
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
      libdeflate_alloc_compressor(kLevel), libdeflate_free_compressor);
  std::string member(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  member.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), member.data(), member.size()));
  return member;
}

}  // namespace

ParallelGzip::ParallelGzip(Sink sink) : sink_(std::move(sink)) {
  piece_.reserve(kMember);
}

// What is under way refers to nothing here; its futures wait for it.
ParallelGzip::~ParallelGzip() = default;

Status ParallelGzip::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kMember - piece_.size());
    piece_.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (piece_.size() == kMember) INGOT_CHECK(start_member());
  }
  return {};
}

Status ParallelGzip::start_member() {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  while (under_way_.size() > cores) INGOT_CHECK(take_oldest());
  under_way_.push_back(std::async(std::launch::async, compress, std::move(piece_)));
  wrote_ = true;
  piece_.clear();
  piece_.reserve(kMember);
  return {};
}

Status ParallelGzip::take_oldest() {
  const std::string member = under_way_.front().get();
  under_way_.pop_front();
  return sink_(member);
}

Status ParallelGzip::finish() {
  if (!piece_.empty() || !wrote_) INGOT_CHECK(start_member());  // nothing at all is one empty member
  while (!under_way_.empty()) INGOT_CHECK(take_oldest());
  return {};
}

}  // namespace ingot::image
