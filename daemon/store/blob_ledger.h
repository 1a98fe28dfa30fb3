#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/store/raw_digest.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

// Who wants a blob that is made or found.
enum class BlobFor {
  job,     // one that holds the store until it has written down that it needs the blob
  upload,  // a client that sends a context: it has some time to say so
};

struct BlobTotals {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;          // on the disk
  std::uint64_t written_bytes = 0;  // since the start
};

// How many blobs there are, and which of them somebody wants though nothing refers to them yet.
//
// Why no blob is removed that is of use: whoever finds or makes a blob notes his use under the lock under which blobs
// are removed, and what has a note is not removed. A note is only taken away between two sweeps, by the sweeper itself,
// and only when who made it has had to refer to the blob by then: a job's when all jobs that ran at its time have let
// go of the store (a job's rows are written before it lets go), an upload's when its grace is over. The sweeper looks
// for references after that. So a blob without a note and without a reference is nobody's; and who wants it from now
// on finds it under the lock, or finds that it is gone.
class BlobLedger {
 public:
  explicit BlobLedger(fs::path directory) : directory_(std::move(directory)) {}

  // What a job holds while it makes blobs and until it has referred to them.
  std::shared_ptr<void> hold();
  // Before anything is noted.
  void set_upload_grace(std::int64_t milliseconds, const base::Clock& clock) {
    grace_ms_ = milliseconds;
    clock_ = &clock;
  }

  // The size of the blob when it is there; then it is noted.
  std::optional<std::uint64_t> find(const base::Digest& digest, BlobFor whom);
  // Gives a file its name as a blob and notes it; false when an equal one was there first, and the file stays.
  Result<bool> put(const fs::path& file, const base::Digest& digest, BlobFor whom);
  // False when somebody wants it, or it is not there.
  bool remove(const base::Digest& digest, std::uint64_t& bytes);

  // Takes the notes away whose time is over; nothing may refer to these blobs.
  std::vector<RawDigest> settle(std::int64_t now_ms);
  bool wanted(const base::Digest& digest) const;

  // Counts what was there before, some hundred files at a time under the lock. Once, at the start.
  Status count();
  BlobTotals totals() const;

 private:
  struct Use {
    std::int64_t upload_until_ms = 0;
    std::uint64_t saved = 0;  // when, in the order of holds and uses; 0: by no job
  };
  fs::path path_of(const base::Digest& digest) const;
  void note(const base::Digest& digest, BlobFor whom);
  void account(const base::Digest& digest, std::uint64_t size, bool added);

  const fs::path directory_;
  std::int64_t grace_ms_ = 3'600'000;
  const base::Clock* clock_ = &base::system_clock();
  mutable std::mutex mutex_;  // guards all below, and every removal of a blob
  std::unordered_map<RawDigest, Use, RawDigestHash> uses_;
  std::set<std::uint64_t> holds_;  // when each began
  std::uint64_t order_ = 0;
  std::bitset<256> counted_;  // directories whose blobs are in the totals
  BlobTotals totals_;
};

}  // namespace ingot::store
