#include "daemon/store/raw_digest.h"

namespace ingot::store {

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexDigits = 64;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool parse_hex(std::string_view hex, RawDigest& raw) {
  if (hex.size() < kHexDigits) return false;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    raw[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace

RawDigest to_raw(const base::Digest& digest) {
  RawDigest raw{};
  parse_hex(std::string_view(digest.str()).substr(kPrefix.size()), raw);
  return raw;
}

base::Digest from_raw(const RawDigest& raw) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kPrefix);
  for (const std::uint8_t byte : raw) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return *base::Digest::parse(text);
}

std::vector<RawDigest> digests_in_text(std::string_view text) {
  std::vector<RawDigest> found;
  for (std::size_t at = text.find(kPrefix); at != std::string_view::npos; at = text.find(kPrefix, at + 1)) {
    RawDigest raw{};
    if (parse_hex(text.substr(at + kPrefix.size()), raw)) found.push_back(raw);
  }
  return found;
}

}  // namespace ingot::store
