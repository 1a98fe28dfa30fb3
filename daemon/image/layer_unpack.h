#pragma once

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"

namespace ingot::image {

// Unpacks one OCI layer (tar, plain or compressed) into an empty directory, in overlayfs' own terms: a whiteout file
// becomes a 0/0 character device, an opaque mark an attribute of its directory. An entry that would leave the directory
// by its name or through a symlink is refused.
Status unpack_layer(const sys::fs::path& archive, const sys::fs::path& directory, const sys::CancelToken& cancel = {});

// The same of a tar of files that is no layer: what is called .wh.* is a file like any other.
Status unpack_files(const sys::fs::path& archive, const sys::fs::path& directory, const sys::CancelToken& cancel = {});

}  // namespace ingot::image
