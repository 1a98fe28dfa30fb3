#pragma once

#include <string>
#include <vector>

#include "daemon/image/source.h"

namespace ingot::image {

// Copies the image `from`, in skopeo's notation, into a layout of the work directory, and unpacks it.
Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options);

// Runs skopeo with these arguments. A failure is kind `unavailable`, with skopeo's own words.
Status run_skopeo(const std::vector<std::string>& arguments, sys::ProcessRunner& processes, const Progress& progress,
                  const sys::CancelToken& cancel);

// What to do about what a registry said; empty: nothing is known.
std::string cure_for_registry(const std::string& message);

}  // namespace ingot::image
