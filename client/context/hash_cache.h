#pragma once

#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "client/context/numbered_lock.h"

namespace ingot::client {

// Remembers files' digests by what changes when their bytes do, so that a file is read once, whatever it is called and
// whoever reads it. A file that was written in the last moments is not remembered: it could change again without its
// time changing. What was not asked for in a month is dropped, so that files that are gone take no room. Thread-safe,
// and for several processes at once.
class HashCache {
 public:
  // A file that is missing or damaged is an empty cache.
  explicit HashCache(std::filesystem::path file);

  std::optional<std::string> find(const struct stat& status);
  // `status` is what fstat said at `looked_at`, before the first byte was read.
  void remember(const struct stat& status, timespec looked_at, const std::string& digest);
  // From now on only what is remembered from now on.
  void forget_all();
  // Has what others saved meanwhile, too.
  void reread();
  // Adds to what others saved. Best effort: a cache that cannot be written costs only time.
  void save();
  // Of several that are about to hash the same project, one has this at a time.
  std::optional<NumberedLock> lock(const std::filesystem::path& project, std::chrono::milliseconds patience) const;

  static std::filesystem::path default_file();

 private:
  struct Entry {
    std::string stamp;
    std::string digest;
    std::int64_t day = 0;  // of its last use, since the epoch
  };
  using Entries = std::unordered_map<std::string, Entry>;  // by the file system's number and the file's in it

  void load();
  static void load_line(std::string_view line, Entries& entries);
  static void drop_unused(Entries& entries);

  const std::filesystem::path file_;
  std::mutex mutex_;  // guards all below
  Entries entries_;
  std::unordered_set<std::string> changed_;  // and not saved
  struct stat loaded_ {};                    // the file, when it was read
  bool forgotten_ = false;
};

}  // namespace ingot::client
