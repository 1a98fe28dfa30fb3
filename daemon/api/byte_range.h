#pragma once

#include <cstdint>
#include <string>

namespace ingot::api {

struct ByteRange {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// The header `Range: bytes=a-b`, `a-` or `-n` for a body of `total` bytes. Several ranges, other units and nonsense are
// ignored, as HTTP wants it: the whole body.
ByteRange parse_range(const std::string& header, std::uint64_t total);

}  // namespace ingot::api
