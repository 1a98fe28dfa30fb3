#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "daemon/image/images.h"
#include "daemon/sys/fd.h"

namespace ingot::image {

// Sees which files of a directory a program that we started reads, and how far it is, and tells of it: skopeo itself
// does not say which layers it sends. What it does not read, the registry has.
class TransferWatch {
 public:
  // `files`: names, with the bytes of each. `progress` is called on a thread of the watch's own.
  TransferWatch(const sys::fs::path& directory, std::map<std::string, std::uint64_t> files, Progress progress);
  ~TransferWatch();
  TransferWatch(const TransferWatch&) = delete;
  TransferWatch& operator=(const TransferWatch&) = delete;

  // After this it tells nothing more. The bytes of all files that were read.
  std::uint64_t stop();

 private:
  void run();
  void take_events();
  void opened(const std::string& name);
  void closed(const std::string& name);
  void tell_how_far();

  const sys::fs::path directory_;
  const std::map<std::string, std::uint64_t> files_;
  const Progress progress_;
  sys::UniqueFd events_;
  sys::UniqueFd end_;
  std::set<std::string> read_;  // of the watch's thread, until it has ended
  std::set<std::string> done_;
  std::uint64_t told_ = 0;
  std::thread thread_;
};

}  // namespace ingot::image
