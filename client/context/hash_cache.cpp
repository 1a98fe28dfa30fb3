#include "client/context/hash_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

constexpr std::string_view kFirstLine = "ingot hashes 2\n";
constexpr std::uint64_t kLargestCache = 256ULL << 20;
constexpr std::size_t kMostEntries = 150'000;
constexpr std::int64_t kDaysUnused = 30;
constexpr std::uint32_t kSaving = 0;  // the number that is locked

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * kSecond + time.tv_nsec;
}

// How long a file can change without its time telling. The kernel's clock for files ticks every ten milliseconds at
// the slowest; a time without anything finer than a millisecond may be of a file system that counts in seconds.
std::int64_t time_within_a_tick(const timespec& changed) {
  constexpr std::int64_t kSeveralTicks = kSecond / 20;
  constexpr std::int64_t kCoarse = 2 * kSecond;
  return changed.tv_nsec % 1'000'000 != 0 ? kSeveralTicks : kCoarse;
}

std::int64_t today() {
  constexpr std::int64_t kDay = 86'400;
  return std::time(nullptr) / kDay;
}

std::string key_of(const struct stat& status) {
  return fmt::format("{} {}", status.st_dev, status.st_ino);
}

std::string stamp_of(const struct stat& status) {
  return fmt::format("{} {}.{} {}.{}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

// Whole or not at all for other processes. A power cut may damage it, which costs nothing but time; syncing would cost
// time always, as much as all that the disk has to write just then.
void write_whole(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path temporary = file.string() + "." + base::random_id(8);
  auto fd = sys::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd) return;
  const bool written = sys::write_all(fd->get(), text).has_value();
  if (!written || rename(temporary.c_str(), file.c_str()) != 0) unlink(temporary.c_str());
}

}  // namespace

std::filesystem::path HashCache::default_file() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && cache[0] == '/') return std::filesystem::path(cache) / "ingot" / "hashes";
  return std::filesystem::path(home != nullptr ? home : "/root") / ".cache" / "ingot" / "hashes";
}

HashCache::HashCache(std::filesystem::path file) : file_(std::move(file)) {
  load();
}

// A line: digest, day, key and stamp, with tabs between. One that is not whole is left out.
void HashCache::load_line(std::string_view line, Entries& entries) {
  std::array<std::string_view, 4> fields;
  for (auto& field : fields) {
    if (line.empty()) return;
    const auto end = std::min(line.find('\t'), line.size());
    field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  Entry entry{std::string(fields[3]), std::string(fields[0])};
  const auto [end, bad] = std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), entry.day);
  const bool has_day = bad == std::errc() && end == fields[1].data() + fields[1].size();
  if (has_day && line.empty() && base::Digest::parse(entry.digest)) entries[std::string(fields[2])] = std::move(entry);
}

// What is not saved yet stays as it is here.
void HashCache::load() {
  struct stat status {};
  if (stat(file_.c_str(), &status) != 0) return;
  const bool is_same = status.st_ino == loaded_.st_ino && status.st_size == loaded_.st_size &&
                       nanoseconds(status.st_ctim) == nanoseconds(loaded_.st_ctim);
  if (is_same) return;
  auto text = sys::read_file(file_, kLargestCache);
  if (!text || !text->starts_with(kFirstLine)) return;
  loaded_ = status;
  Entries entries;
  std::string_view rest = std::string_view(*text).substr(kFirstLine.size());
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    load_line(rest.substr(0, end), entries);
    rest.remove_prefix(end + 1);
  }
  for (const auto& key : changed_) entries[key] = std::move(entries_[key]);
  entries_ = std::move(entries);
}

std::optional<std::string> HashCache::find(const struct stat& status) {
  const std::string key = key_of(status);
  std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.stamp != stamp_of(status)) return std::nullopt;
  const auto now = today();
  if (found->second.day != now) changed_.insert(key);
  found->second.day = now;
  return found->second.digest;
}

void HashCache::remember(const struct stat& status, timespec looked_at, const std::string& digest) {
  const auto changed = std::max(nanoseconds(status.st_mtim), nanoseconds(status.st_ctim));
  if (nanoseconds(looked_at) - changed < time_within_a_tick(status.st_ctim)) return;
  const std::string key = key_of(status);
  std::lock_guard lock(mutex_);
  entries_[key] = {stamp_of(status), digest, today()};
  changed_.insert(key);
}

void HashCache::forget_all() {
  std::lock_guard lock(mutex_);
  entries_.clear();
  changed_.clear();
  forgotten_ = true;
}

void HashCache::reread() {
  std::lock_guard lock(mutex_);
  if (!forgotten_) load();
}

void HashCache::drop_unused(Entries& entries) {
  const auto oldest = today() - kDaysUnused;
  std::erase_if(entries, [&](const auto& entry) { return entry.second.day < oldest; });
  if (entries.size() <= kMostEntries) return;
  std::vector<std::int64_t> days;
  for (const auto& [key, entry] : entries) days.push_back(entry.day);
  const auto last_kept = days.end() - static_cast<std::ptrdiff_t>(kMostEntries);
  std::nth_element(days.begin(), last_kept, days.end());
  // Of the last day that finds room, as many go as are too many.
  auto too_many = entries.size() - kMostEntries;
  std::erase_if(entries, [&](const auto& entry) {
    const bool goes = too_many > 0 && entry.second.day <= *last_kept;
    if (goes) --too_many;
    return goes;
  });
}

void HashCache::save() {
  std::lock_guard lock(mutex_);
  if (changed_.empty()) return;
  // Without the lock what others save at this moment may be lost, to be found out again.
  constexpr std::chrono::milliseconds kPatience{1000};
  const auto saving = NumberedLock::acquire(file_.string() + ".lock", kSaving, kPatience);
  load();
  drop_unused(entries_);
  std::string text(kFirstLine);
  for (const auto& [key, entry] : entries_) {
    text += fmt::format("{}\t{}\t{}\t{}\n", entry.digest, entry.day, key, entry.stamp);
  }
  write_whole(file_, text);
  changed_.clear();
}

std::optional<NumberedLock> HashCache::lock(const std::filesystem::path& project,
                                            std::chrono::milliseconds patience) const {
  const std::string hex = base::Digest::of(project.native()).hex().substr(0, 7);
  const auto number = static_cast<std::uint32_t>(std::stoul(hex, nullptr, 16));
  return NumberedLock::acquire(file_.string() + ".lock", kSaving + 1 + number, patience);
}

}  // namespace ingot::client
