#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/graph/graph.h"

// What Earthfiles and Dockerfiles say of an image in the same words.
namespace ingot::earthfile {

// "80" and "80/tcp" as "80/tcp".
Result<std::string> exposed_port(const std::string& text, const Place& place);
// --interval, --timeout, --start-period, --start-interval and --retries of HEALTHCHECK.
Status set_health_option(graph::Healthcheck& check, const std::string& name, const std::string& text,
                         const Place& place);

}  // namespace ingot::earthfile
