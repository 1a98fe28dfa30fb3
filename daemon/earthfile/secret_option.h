#pragma once

#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/earthfile/options.h"
#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// RUN --secret NAME, NAME=id or NAME=+secrets/id. Nothing for one without an id ("NAME=", ""), which is how a recipe
// says that it does without.
Result<std::optional<graph::SecretVariable>> parse_secret(const Options::Value& option, bool by_name);

// "+secrets/id", as older recipes write it, is the id.
std::string secret_id(const std::string& text);

}  // namespace ingot::earthfile
