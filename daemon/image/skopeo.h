#pragma once

#include <string>
#include <vector>

#include "daemon/image/source.h"

namespace ingot::image {

// Copies the image `from`, in skopeo's notation, into a layout of the work directory, and unpacks it.
Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options);

}  // namespace ingot::image
