#include "daemon/image/job_images.h"

#include "daemon/image/reference.h"

namespace ingot::image {

Result<Image> JobImages::resolve(const std::string& text, const Progress& progress, const sys::CancelToken& cancel) {
  if (text == "scratch") return images_.resolve(text, progress, cancel);
  INGOT_TRY(auto reference, parse_reference(text));
  if (auto known = known_.find(reference.full()); known != known_.end()) return known->second;
  INGOT_TRY(auto image, images_.resolve(text, progress, cancel, policy_));
  used_.push_back({reference.familiar(), image.digest, image.source});
  known_.emplace(reference.full(), image);
  return image;
}

}  // namespace ingot::image
