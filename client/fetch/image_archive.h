#pragma once

#include "client/transport/daemon.h"

namespace ingot::client {

// Writes an image to `fd` as a tar that is both an OCI archive and a Docker one: podman, docker, skopeo and containerd
// take it. The layers are copied by the kernel.
Status write_image_archive(Daemon& daemon, const proto::ImageInfo& image, int fd);

}  // namespace ingot::client
