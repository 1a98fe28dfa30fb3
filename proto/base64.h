#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proto/error.h"

namespace ingot::proto {

std::string base64_encode(std::string_view bytes);
tl::expected<std::string, Error> base64_decode(std::string_view text);

}  // namespace ingot::proto
