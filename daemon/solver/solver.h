#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/mask.h"
#include "daemon/base/metrics.h"
#include "daemon/image/images.h"
#include "daemon/solver/executor.h"
#include "daemon/solver/flights.h"
#include "daemon/solver/slots.h"
#include "daemon/solver/snapshot_facts.h"
#include "daemon/solver/step_cache.h"
#include "daemon/store/collector.h"
#include "daemon/store/saved_artifacts.h"

namespace ingot::solver {

// What the solver did since the daemon started.
struct Counters {
  std::atomic<std::uint64_t> executed = 0;     // steps that ran
  std::atomic<std::uint64_t> failed = 0;       // of those, not what was canceled
  std::atomic<std::uint64_t> hit_key = 0;      // found by their definition
  std::atomic<std::uint64_t> hit_inputs = 0;   // found by the snapshots that they stand on
  std::atomic<std::uint64_t> hit_content = 0;  // found by the content of those
  std::atomic<std::uint64_t> merged = 0;       // wanted while under way for another
  base::Histogram step_seconds{base::duration_bounds()};
  base::Histogram slot_wait_seconds{base::duration_bounds()};
};

// What all builds of a daemon share: the cache, what is under way, and the room to run.
class Solver {
 public:
  struct Parts {
    db::Database& database;
    store::BlobStore& blobs;
    store::SnapshotStore& snapshots;
    image::Images& images;
    sandbox::Sandbox& sandbox;
    store::Collector& collector;
    const base::Clock& clock;
    fs::path caches;  // where cache mounts are kept
    StepImages* step_images = nullptr;
    sys::Binfmt binfmt{};  // what of other platforms runs here
  };
  Solver(const Parts& parts, Slots::Capacity capacity)
      : database_(parts.database),
        blobs_(parts.blobs),
        snapshots_(parts.snapshots),
        images_(parts.images),
        collector_(parts.collector),
        cache_(parts.database, parts.snapshots),
        saved_(parts.database, parts.blobs),
        binfmt_(parts.binfmt),
        executor_(parts.blobs, parts.snapshots, parts.sandbox, parts.caches, parts.step_images, parts.binfmt),
        slots_(capacity, parts.clock) {}

  const Counters& counters() const { return counters_; }
  Slots::Counts slots() const { return slots_.counts(); }
  // Of the directories of cache mounts, as they were when they were last measured.
  std::uint64_t cache_mount_bytes() const { return executor_.caches().bytes(); }
  CacheMounts& cache_mounts() { return executor_.caches(); }

  // What SAVE ARTIFACT hands out of a snapshot.
  Result<std::vector<proto::Artifact>> save(store::SnapshotId snapshot, const graph::SaveArtifact& artifact);

 private:
  friend class Build;

  // A step all of whose inputs are there.
  struct Wanted {
    StepWork work;
    base::Digest key;
    base::Digest operation;
    bool look = true;  // in the cache first
    Demand demand;
    std::shared_ptr<const base::Mask> mask = nullptr;  // what the build that began it hides; null: nothing
  };
  Result<StepResult> fly(const Wanted& wanted, const Flights::Cockpit& cockpit);
  Result<std::optional<store::Lease>> find_by_content(const Wanted& wanted);
  Result<bool> same_inputs(const Wanted& wanted, const KnownStep& known);
  Result<Executed> execute_masked(const Wanted& wanted, const Flights::Cockpit& cockpit);
  Result<StepResult> execute(const Wanted& wanted, const Flights::Cockpit& cockpit);

  db::Database& database_;
  store::BlobStore& blobs_;
  store::SnapshotStore& snapshots_;
  image::Images& images_;
  store::Collector& collector_;
  StepCache cache_;
  store::SavedArtifacts saved_;
  const sys::Binfmt binfmt_;
  Executor executor_;
  Slots slots_;
  Counters counters_;
  SnapshotFacts<std::string> shells_;     // see shell_program_of()
  SnapshotFacts<graph::Answer> answers_;  // short ones
  Flights flights_;                       // last: it waits for what is under way
};

}  // namespace ingot::solver
