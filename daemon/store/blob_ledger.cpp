#include "daemon/store/blob_ledger.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ingot::store {

namespace {

std::optional<std::uint64_t> size_of(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

fs::path BlobLedger::path_of(const base::Digest& digest) const {
  const std::string hex = digest.hex();
  return directory_ / hex.substr(0, 2) / hex;
}

std::shared_ptr<void> BlobLedger::hold() {
  std::lock_guard lock(mutex_);
  const std::uint64_t begun = ++order_;
  holds_.insert(begun);
  return {static_cast<void*>(nullptr), [this, begun](void*) {
            std::lock_guard guard(mutex_);
            holds_.erase(begun);
          }};
}

void BlobLedger::note(const base::Digest& digest, BlobFor whom) {
  Use& use = uses_[to_raw(digest)];
  if (whom == BlobFor::upload)
    use.upload_until_ms = clock_->unix_ms() + grace_ms_;
  else
    use.saved = ++order_;
}

void BlobLedger::account(const base::Digest& digest, std::uint64_t size, bool added) {
  if (added) totals_.written_bytes += size;
  if (!counted_[to_raw(digest)[0]]) return;
  totals_.count += added ? 1 : static_cast<std::uint64_t>(-1);
  totals_.bytes += added ? sys::disk_bytes(size) : -sys::disk_bytes(size);
}

std::optional<std::uint64_t> BlobLedger::find(const base::Digest& digest, BlobFor whom) {
  std::lock_guard lock(mutex_);
  const auto size = size_of(path_of(digest));
  if (size) note(digest, whom);
  return size;
}

Result<bool> BlobLedger::put(const fs::path& file, const base::Digest& digest, BlobFor whom) {
  const fs::path place = path_of(digest);
  std::lock_guard lock(mutex_);
  if (size_of(place)) {
    note(digest, whom);
    return false;
  }
  const auto size = size_of(file);
  if (!size || rename(file.c_str(), place.c_str()) != 0) {
    return base::fail_errno(errno, "cannot keep a blob as " + place.string());
  }
  note(digest, whom);
  account(digest, *size, true);
  return true;
}

bool BlobLedger::remove(const base::Digest& digest, std::uint64_t& bytes) {
  const fs::path place = path_of(digest);
  std::lock_guard lock(mutex_);
  if (uses_.contains(to_raw(digest))) return false;
  const auto size = size_of(place);
  if (!size || unlink(place.c_str()) != 0) return false;
  account(digest, *size, false);
  bytes = sys::disk_bytes(*size);
  return true;
}

std::vector<RawDigest> BlobLedger::settle(std::int64_t now_ms) {
  std::lock_guard lock(mutex_);
  std::vector<RawDigest> over;
  for (auto use = uses_.begin(); use != uses_.end();) {
    const bool held = use->second.saved != 0 && !holds_.empty() && *holds_.begin() < use->second.saved;
    if (held || use->second.upload_until_ms > now_ms) {
      ++use;
      continue;
    }
    over.push_back(use->first);
    use = uses_.erase(use);
  }
  return over;
}

bool BlobLedger::wanted(const base::Digest& digest) const {
  std::lock_guard lock(mutex_);
  return uses_.contains(to_raw(digest));
}

Status BlobLedger::count() {
  for (unsigned first = 0; first < 256; ++first) {
    char name[3];
    std::snprintf(name, sizeof name, "%02x", first);
    std::lock_guard lock(mutex_);
    if (counted_[first]) continue;
    std::error_code error;
    for (fs::directory_iterator entry(directory_ / name, error), end; !error && entry != end; entry.increment(error)) {
      const auto size = size_of(entry->path());
      if (!size) continue;
      ++totals_.count;
      totals_.bytes += sys::disk_bytes(*size);
    }
    if (error && error.value() != ENOENT) {
      return base::fail_errno(error.value(), "cannot read " + (directory_ / name).string());
    }
    counted_.set(first);
  }
  return {};
}

BlobTotals BlobLedger::totals() const {
  std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace ingot::store
