#include "client/context/hash_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

constexpr const char* kFirstLine = "ingot hashes 1";
constexpr std::int64_t kRacySeconds = 2;
constexpr std::uint64_t kLargestCache = 256ULL << 20;

}  // namespace

std::filesystem::path HashCache::default_file() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && cache[0] == '/') return std::filesystem::path(cache) / "ingot" / "hashes";
  return std::filesystem::path(home != nullptr ? home : "/root") / ".cache" / "ingot" / "hashes";
}

std::string HashCache::stamp(const struct stat& status) {
  return fmt::format("{} {} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

HashCache::HashCache(std::filesystem::path file) : file_(std::move(file)) {
  auto text = sys::read_file(file_, kLargestCache);
  if (!text || !text->starts_with(kFirstLine)) return;
  // digest, stamp, path, with tabs between; a path with a tab or newline in it is never written.
  for (const auto& line : base::split(*text, '\n')) {
    const auto fields = base::split(line, '\t');
    if (fields.size() == 3 && base::Digest::parse(fields[0])) entries_[fields[2]] = {fields[1], fields[0]};
  }
}

std::optional<std::string> HashCache::find(const std::string& path, const struct stat& status) const {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(path);
  if (found == entries_.end() || found->second.stamp != stamp(status)) return std::nullopt;
  return found->second.digest;
}

void HashCache::remember(const std::string& path, const struct stat& status, std::time_t looked_at,
                         const std::string& digest) {
  const auto youngest = std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec);
  if (looked_at - youngest < kRacySeconds || path.find_first_of("\t\n") != std::string::npos) return;
  std::lock_guard lock(mutex_);
  entries_[path] = {stamp(status), digest};
  changed_ = true;
}

void HashCache::forget_all() {
  std::lock_guard lock(mutex_);
  entries_.clear();
}

void HashCache::save() const {
  std::lock_guard lock(mutex_);
  if (!changed_) return;
  std::string text = std::string(kFirstLine) + "\n";
  for (const auto& [path, entry] : entries_) text += entry.digest + "\t" + entry.stamp + "\t" + path + "\n";
  if (sys::make_directories(file_.parent_path(), 0700)) (void)sys::write_file_durably(file_, text, 0600);
}

}  // namespace ingot::client
