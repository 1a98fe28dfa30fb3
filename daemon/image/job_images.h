#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/keyed_mutex.h"
#include "daemon/image/images.h"

namespace ingot::image {

// The images of one job: a name means one image for each platform and for as long as the job lives, whoever in it asks
// and whatever is pulled meanwhile. Thread-safe.
class JobImages {
 public:
  JobImages(Images& images, proto::PullPolicy policy) : images_(images), policy_(policy) {}

  Result<Image> resolve(const std::string& reference, const Progress& progress, const sys::CancelToken& cancel,
                        const base::Platform& platform = base::native_platform());
  // What the job asked for so far, in that order, each once; scratch is no image.
  std::vector<proto::FromImage> used() const;

 private:
  std::optional<Image> find(const std::string& name) const;

  Images& images_;
  proto::PullPolicy policy_;
  base::KeyedMutex fetching_;  // by the full name and the platform
  mutable std::mutex mutex_;   // guards what follows
  std::map<std::string, Image> known_;
  std::vector<proto::FromImage> used_;
};

}  // namespace ingot::image
