#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"

namespace ingot::image {

// What an OCI or Docker image's config document says of the steps that start from it, and of its containers.
Result<graph::ImageConfig> read_image_config(const nlohmann::json& document);
// The same as a document with nothing but the section `config`; what is empty is left out.
nlohmann::json write_image_config(const graph::ImageConfig& config);

}  // namespace ingot::image
