#pragma once

#include "daemon/earthfile/earthfile.h"
#include "daemon/image/job_images.h"
#include "daemon/store/blobs.h"
#include "proto/types.h"

namespace ingot::pipeline {

// What an Earthfile's interpreter asks of the world, answered from a job's context and the image sources.
class ContextHost : public earthfile::Host {
 public:
  ContextHost(const proto::ContextManifest& context, const store::BlobStore& blobs, image::JobImages& images,
              image::Progress progress, sys::CancelToken cancel);

  Result<std::string> read_file(const std::string& path) override;
  Result<graph::ImageConfig> image_config(const std::string& reference) override;

 private:
  const proto::ContextManifest& context_;
  const store::BlobStore& blobs_;
  image::JobImages& images_;
  image::Progress progress_;
  sys::CancelToken cancel_;
};

}  // namespace ingot::pipeline
