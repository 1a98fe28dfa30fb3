#include "proto/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace ingot::proto {

namespace {

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                               reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

tl::expected<std::string, Error> base64_decode(std::string_view text) {
  auto bad = [] {
    Error error;
    error.kind = ErrorKind::invalid;
    error.message = "the text is not base64";
    return tl::unexpected<Error>(std::move(error));
  };
  // OpenSSL's decoder skips white space and takes padding anywhere for zeros.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const bool clean = std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), is_digit);
  if (text.size() % 4 != 0 || !clean) return bad();
  std::string bytes(text.size() / 4 * 3, '\0');
  int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                               reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return bad();
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

}  // namespace ingot::proto
