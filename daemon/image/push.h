#pragma once

#include "daemon/image/built_image.h"
#include "daemon/image/images.h"

namespace ingot::image {

struct Push {
  const BuiltImage& image;
  bool insecure = false;                  // SAVE IMAGE --insecure
  const std::optional<SourceRule>& rule;  // of the configuration, for this name: logins and certificates
  const store::BlobStore& blobs;
  const store::fs::path& work_directory;  // on the blobs' file system
  sys::ProcessRunner& processes;
  const Progress& progress;
  const sys::CancelToken& cancel;
};

// Sends an image to the registry that its name says: what the registry lacks of it, its tag at the very last.
Status push_image(const Push& push);

}  // namespace ingot::image
