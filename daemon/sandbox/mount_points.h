#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "daemon/sys/rooted.h"

namespace ingot::sandbox {

// A runtime makes what it mounts on (/proc, /etc/resolv.conf, ...) where an image lacks it, and so writes into the
// step's layer. To keep that free of all but what the step itself wrote, the places come from a layer of their own,
// which lies below all others, ...
Status make_mount_point_layer(const sys::fs::path& layer);

// ... and where that does not help (a link to a file that is not there, a directory that hides what is below), they are
// made before the runtime runs and taken out of the layer afterwards, with the times of directories as the step left
// them.
class MountPoints {
 public:
  // `root` is the mounted file system, `upper` the layer that receives what is written to it. Links are followed as a
  // runtime does: /etc/resolv.conf often is one to a file that no image has.
  // `more`: places that only this step needs.
  struct Place {
    std::string path;
    bool directory = true;
  };
  static Result<MountPoints> make(const sys::RootedDir& root, const sys::fs::path& upper,
                                  const std::vector<Place>& more = {});
  // Once nothing is mounted any more.
  void clean(const sys::fs::path& upper) const;

 private:
  struct Stub {
    std::string path;
    bool directory = false;
  };
  // One that was there before, and into which, or below which, stubs were put.
  struct Touched {
    std::string path;
    timespec modified{};
    bool in_upper = false;  // already, so that it stays
    timespec changed{};     // as the kernel noted our last change: still so when the step made none
  };

  Status make_one(const sys::RootedDir& root, const sys::fs::path& upper, const char* place, bool directory);
  Status remember(const sys::RootedDir& root, const sys::fs::path& upper, const std::string& path);
  Status restore_times(const sys::RootedDir& root);

  std::vector<Stub> stubs_;       // parents before children
  std::vector<Touched> touched_;  // parents before children
};

}  // namespace ingot::sandbox
