#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

struct TarOptions {
  bool keep_times = false;   // else 2020-04-16T12:00:00Z
  bool keep_owners = false;  // else root:root
};

// A directory below `root` as a PAX tar, its entries relative to it and sorted by name: equal content is equal bytes.
Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options,
                 const std::function<Status(std::string_view)>& sink);

}  // namespace ingot::store
