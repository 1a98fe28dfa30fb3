#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/store/trash.h"
#include "daemon/sys/files.h"

namespace ingot::store {

// Writes into the empty directory `target` one layer that is equal to all of `layers`, bottom first: in their place, on
// top of `below`, it shows the same. Its files are further names of theirs; its marks for what is removed hide what
// they hid of the layers below.
Status join_layers(const std::vector<sys::fs::path>& layers, const std::vector<sys::fs::path>& below,
                   const sys::fs::path& target);

// Keeps long chains of layers short enough for overlayfs, which takes 500, and is slow long before: each run of a
// number of them is joined into one, once. They cost names, no bytes, and can be made again at any time: none outlives
// the daemon. Thread-safe.
class JoinedLayers {
 public:
  static constexpr std::size_t kRun = 64;
  static constexpr std::size_t kShort = 2 * kRun;  // shorter chains are left alone

  static Result<std::unique_ptr<JoinedLayers>> open(const sys::fs::path& directory, std::shared_ptr<Trash> trash);

  // The same stack in fewer layers; `layers` itself when it is short.
  std::vector<sys::fs::path> shorten(const std::vector<sys::fs::path>& layers);
  // Some layers of a stack as one: those from `first` up to `last`. Mostly that is a single one.
  struct Piece {
    sys::fs::path path;
    std::size_t first = 0;
    std::size_t last = 0;
  };
  // The same stack in no more than `most` layers, if that can be without touching the lowest `base` ones. What is
  // joined stays as it is when the stack grows, as far as `most` allows.
  std::vector<Piece> shorten_above(const std::vector<sys::fs::path>& layers, std::size_t base, std::size_t most);
  // `layer` is removed; nobody stands on it any more.
  Status forget(const sys::fs::path& layer);

 private:
  JoinedLayers(sys::fs::path directory, std::shared_ptr<Trash> trash)
      : directory_(std::move(directory)), trash_(std::move(trash)) {}
  Result<sys::fs::path> joined(const std::vector<sys::fs::path>& layers, const std::vector<sys::fs::path>& below,
                               const std::string& name);
  Result<std::vector<Piece>> join_above(const std::vector<sys::fs::path>& layers, std::size_t base,
                                        const std::vector<std::size_t>& lengths);

  sys::fs::path directory_;
  std::shared_ptr<Trash> trash_;
  std::mutex mutex_;  // one is made at a time
};

}  // namespace ingot::store
