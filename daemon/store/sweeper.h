#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/contexts.h"

namespace ingot::store {

struct Swept {
  std::uint64_t contexts = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // on the disk, of both
};

// Removes contexts that no job refers to, and blobs that nothing refers to: no artifact, no image of one, no context,
// no layer. It is told what may have become loose (the table loose_blobs, filled by triggers; the ledger's notes whose
// time is over; the files of contexts that it removed), and only looks at that: all blobs are looked at once, after a
// start, for what a daemon that was killed left. Why it is safe is said in BlobLedger and in ContextStore. Thread-safe.
class Sweeper {
 public:
  struct Settings {
    std::int64_t context_age_ms = 86'400'000;  // a context without a job is kept so long after its last use
    // Nothing is swept so soon after a start: a client may have been told by the daemon before that a file is there.
    std::int64_t quiet_ms = 3'600'000;
  };
  Sweeper(db::Database& database, BlobStore& blobs, ContextStore& contexts, Settings settings, base::Clock& clock);

  // From the next sweep on.
  void set_context_age(std::int64_t milliseconds) { context_age_ms_ = milliseconds; }
  Result<Swept> sweep(bool dry_run = false);
  // All that nothing refers to, whoever wants it still: for who has the store for himself.
  Result<std::vector<base::Digest>> unreferenced() const;
  // What was swept since the start.
  Swept total() const;

 private:
  Result<std::set<RawDigest>> sweep_contexts(bool dry_run, Swept& swept, std::vector<RawDigest>& candidates);
  Status add_loose(bool dry_run, std::vector<RawDigest>& candidates) const;
  Status add_digests(const std::string& select, std::vector<RawDigest>& found, const std::string& of = {}) const;
  Status forget_composed(const RawDigest& raw, std::vector<RawDigest>& let_go) const;
  Status drop_referenced(std::vector<RawDigest>& candidates, const std::set<RawDigest>& going) const;
  Status drop_known_to_database(std::vector<RawDigest>& candidates) const;
  Result<std::vector<RawDigest>> named_by_image(const RawDigest& raw, std::uint64_t limit) const;
  Status forget_shares(const std::vector<RawDigest>& blobs) const;
  bool would_go(const RawDigest& raw, std::uint64_t& bytes) const;

  db::Database& database_;
  BlobStore& blobs_;
  ContextStore& contexts_;
  const std::int64_t quiet_ms_;
  std::atomic<std::int64_t> context_age_ms_;
  base::Clock& clock_;
  const std::int64_t started_ms_;
  mutable std::mutex mutex_;  // guards all below
  bool saw_all_ = false;
  std::vector<RawDigest> left_over_;  // of a sweep that failed
  Swept total_;
};

}  // namespace ingot::store
