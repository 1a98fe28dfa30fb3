#pragma once

#include "daemon/image/images.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/store/blobs.h"
#include "proto/image.h"

namespace ingot::image {

struct Push {
  base::Digest image;  // its manifest, in the blob store
  std::string name;
  bool insecure = false;                  // SAVE IMAGE --insecure
  const std::optional<SourceRule>& rule;  // of the configuration, for this name: logins and certificates
  proto::Compression compression;         // of layers that are only composed here
  LayerBlobs& layers;
  const store::BlobStore& blobs;
  const store::fs::path& work_directory;  // on the blobs' file system
  sys::ProcessRunner& processes;
  const Progress& progress;  // called by two threads
  const sys::CancelToken& cancel;
  bool may_be_there = false;  // somebody who was killed may have pushed it: it is asked for first
};

// Whether there is such an image, and the name is one to push to.
Status check_push(const base::Digest& image, const std::string& name, const LayerBlobs& layers,
                  const store::BlobStore& blobs);

// Sends an image to the registry that its name says: what the registry lacks of it, its tag at the very last.
Result<proto::ImagePushed> push_image(const Push& push);

}  // namespace ingot::image
