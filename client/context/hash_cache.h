#pragma once

#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace ingot::client {

// Remembers files' digests by what changes when their bytes do, so that a file is read once. A file that was written in
// the last moments is not remembered: it could change again without its time changing. Thread-safe.
class HashCache {
 public:
  // A file that is missing or damaged is an empty cache.
  explicit HashCache(std::filesystem::path file);

  std::optional<std::string> find(const std::string& path, const struct stat& status) const;
  // `status` is what fstat said at `looked_at` (seconds since the epoch), before the first byte was read.
  void remember(const std::string& path, const struct stat& status, std::time_t looked_at, const std::string& digest);
  void forget_all();
  void save() const;  // best effort: a cache that cannot be written costs only time

  static std::filesystem::path default_file();

 private:
  static std::string stamp(const struct stat& status);
  struct Entry {
    std::string stamp;
    std::string digest;
  };
  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  bool changed_ = false;
};

}  // namespace ingot::client
