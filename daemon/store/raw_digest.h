#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/digest.h"

namespace ingot::store {

// A SHA-256 as its 32 bytes: where many are held at the same time.
using RawDigest = std::array<std::uint8_t, 32>;

struct RawDigestHash {
  std::size_t operator()(const RawDigest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

RawDigest to_raw(const base::Digest& digest);
base::Digest from_raw(const RawDigest& raw);

// Every "sha256:<hex>" that a text has, in its order: what a context's or an image's manifest refers to. A text that
// only looks like one costs nothing but a blob that is kept.
std::vector<RawDigest> digests_in_text(std::string_view text);

}  // namespace ingot::store
