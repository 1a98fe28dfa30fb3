#pragma once

#include "daemon/sys/files.h"

namespace ingot::sandbox {

// Puts a file system in memory over `directory`, in which every step has a bundle and its runtime a state for some
// milliseconds: on a disk their removal can cost more than the container. Only when nobody else sees our mounts, so
// that none is left to the host however the daemon ends; and not being able to is no failure.
void mount_scratch(const sys::fs::path& directory);
void unmount_scratch(const sys::fs::path& directory);

}  // namespace ingot::sandbox
