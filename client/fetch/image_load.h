#pragma once

#include <string>
#include <vector>

#include "client/transport/daemon.h"
#include "daemon/sys/cancel.h"

namespace ingot::client {

// The first of these programs that is here. Kind `unsupported` when none is.
Result<std::string> image_loader(const std::vector<std::string>& programs);
// The first that has an engine: a docker without a daemon may lie beside a podman that works.
Result<std::string> working_image_loader(const std::vector<std::string>& programs);
// Into podman or docker. `quiet`: what the program says is not shown; of a failure it is in the error.
Status load_image(Daemon& daemon, const proto::ImageInfo& image, const std::string& program, bool quiet = false,
                  const sys::CancelToken& cancel = {});

}  // namespace ingot::client
