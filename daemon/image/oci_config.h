#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"

namespace ingot::image {

// What an OCI or Docker image's config document says of the steps that start from it.
Result<graph::ImageConfig> read_image_config(const nlohmann::json& document);

}  // namespace ingot::image
