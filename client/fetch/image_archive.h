#pragma once

#include "client/transport/daemon.h"

namespace ingot::client {

// Writes an image to `fd` as a tar that is both an OCI archive and a Docker one: podman, docker, skopeo and containerd
// take it. The layers are copied by the kernel. Of one for several platforms all are in it.
Status write_image_archive(Daemon& daemon, const proto::ImageInfo& image, int fd);

// Of an image for several platforms the one for this host, under the same name; any other is what it is.
Result<proto::ImageInfo> image_for_this_host(Daemon& daemon, proto::ImageInfo image);

}  // namespace ingot::client
