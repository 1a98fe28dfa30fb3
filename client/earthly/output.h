#pragma once

#include "client/earthly/build_request.h"
#include "client/earthly/view.h"
#include "client/transport/daemon.h"

namespace ingot::client::earthly {

// What a build that succeeded leaves on this host: AS LOCAL and images of the target form, one artifact of the artifact
// form, the images of the image form.
Status write_output(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view);

// What a build that failed leaves: what FINALLY saves, in the target form.
Status write_rest(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view);

// Those of `artifacts` that a path or a pattern names, as the artifact form has it; one whose name is a directory that
// has the path is taken too.
std::vector<proto::Artifact> matching(const std::vector<proto::Artifact>& artifacts, const std::string& path);

}  // namespace ingot::client::earthly
