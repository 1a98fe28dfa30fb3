#include "daemon/image/parallel_compressor.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zstd.h>

#include <memory>

namespace ingot::image {
namespace {

using proto::Compression;

// Text that compresses somewhat, and is not the same all over.
std::string sample(std::size_t size) {
  std::string text;
  text.reserve(size + 8);
  for (std::uint64_t state = 1; text.size() < size;) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += std::to_string(state >> 40U);
  }
  text.resize(size);
  return text;
}

std::string compress(Compression compression, const std::string& text, std::size_t at_once) {
  std::string compressed;
  ParallelCompressor compressor(compression, [&](std::string_view bytes) -> Status {
    compressed += bytes;
    return {};
  });
  for (std::size_t at = 0; at < text.size(); at += at_once) {
    EXPECT_TRUE(compressor.write(std::string_view(text).substr(at, at_once)));
  }
  EXPECT_TRUE(compressor.finish());
  return compressed;
}

std::string expand(Compression compression, const std::string& compressed, std::size_t size) {
  std::string text(size + 1, '\0');
  if (compression == Compression::zstd) {
    text.resize(ZSTD_decompress(text.data(), text.size(), compressed.data(), compressed.size()));
    return text;
  }
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::size_t from = 0;
  std::size_t to = 0;
  while (from < compressed.size()) {
    std::size_t taken = 0;
    std::size_t given = 0;
    if (libdeflate_gzip_decompress_ex(decompressor.get(), compressed.data() + from, compressed.size() - from,
                                      text.data() + to, text.size() - to, &taken, &given) != LIBDEFLATE_SUCCESS) {
      return "damaged";
    }
    from += taken;
    to += given;
  }
  text.resize(to);
  return text;
}

TEST(ParallelCompressor, gives_back_what_it_got_and_the_same_bytes_each_time) {
  constexpr std::size_t kMegabyte = 1U << 20;
  for (const auto compression : {Compression::gzip, Compression::zstd}) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kMegabyte, 4 * kMegabyte, 4 * kMegabyte + 1, 9 * kMegabyte + 77}) {
      const std::string text = sample(size);
      const std::string compressed = compress(compression, text, 64 << 10);
      EXPECT_FALSE(compressed.empty()) << "nothing is an empty stream, not none";
      EXPECT_TRUE(expand(compression, compressed, size) == text) << proto::name_of(compression) << " " << size;
      EXPECT_TRUE(compressed == compress(compression, text, 1'000'003)) << "whatever the pieces it comes in";
    }
  }
}

TEST(ParallelCompressor, stops_when_nobody_takes_its_output) {
  ParallelCompressor compressor(Compression::zstd,
                                [](std::string_view) -> Status { return base::fail(ErrorKind::no_space, "full"); });
  const std::string text = sample(8U << 20);
  Status written = compressor.write(text);
  if (written) written = compressor.finish();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::no_space);
}

}  // namespace
}  // namespace ingot::image
