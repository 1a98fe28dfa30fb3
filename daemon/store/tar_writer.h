#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

struct TarOptions {
  bool keep_times = false;   // else 2020-04-16T12:00:00Z
  bool keep_owners = false;  // else root:root
  // The directory is a layer of an overlay: what overlayfs marks as removed or replaced is written as OCI images have
  // it.
  bool is_layer = false;
  std::optional<std::int64_t> latest_time = {};  // seconds: what is later gets this time
};

// Where a tar goes, byte by byte.
class TarSink {
 public:
  virtual ~TarSink() = default;
  virtual Status write(std::string_view bytes) = 0;
  // What is written between these two is the content of this open file, and nothing else.
  virtual void file_begins(int /*file*/, const struct stat& /*status*/) {}
  virtual Status file_ends() { return {}; }
};

// A directory below `root` as a PAX tar, its entries relative to it and sorted by name: equal content is equal bytes.
Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options, TarSink& sink);
Status write_tar(const sys::RootedDir& root, const std::string& directory, const TarOptions& options,
                 const std::function<Status(std::string_view)>& sink);

}  // namespace ingot::store
