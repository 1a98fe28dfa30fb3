#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/image/images.h"

namespace ingot::image {

// The images of one job: a name means one image for as long as the job lives, whoever in it asks and whatever is pulled
// meanwhile. Used by the job's own thread only.
class JobImages {
 public:
  JobImages(Images& images, proto::PullPolicy policy) : images_(images), policy_(policy) {}

  Result<Image> resolve(const std::string& reference, const Progress& progress, const sys::CancelToken& cancel);
  // What the job asked for so far, in that order, each once; scratch is no image.
  const std::vector<proto::FromImage>& used() const { return used_; }

 private:
  Images& images_;
  proto::PullPolicy policy_;
  std::map<std::string, Image> known_;  // by the full name
  std::vector<proto::FromImage> used_;
};

}  // namespace ingot::image
