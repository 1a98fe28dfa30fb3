#include "daemon/image/job_images.h"

#include "daemon/image/reference.h"

namespace ingot::image {

std::optional<Image> JobImages::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  return known == known_.end() ? std::nullopt : std::optional(known->second);
}

std::vector<proto::FromImage> JobImages::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

Result<Image> JobImages::resolve(const std::string& text, const Progress& progress, const sys::CancelToken& cancel,
                                 const base::Platform& platform) {
  if (text == "scratch") return images_.resolve(text, progress, cancel);
  INGOT_TRY(auto reference, parse_reference(text));
  const std::string key = reference.full() + " " + platform.text();
  const base::KeyedMutex::Hold alone(fetching_, key);
  if (auto known = find(key)) return *std::move(known);
  INGOT_TRY(auto image, images_.resolve(text, progress, cancel, policy_, platform));
  const std::lock_guard lock(mutex_);
  used_.push_back({reference.familiar(), image.digest, image.source, base::foreign_platform(platform)});
  known_.emplace(key, image);
  return image;
}

}  // namespace ingot::image
