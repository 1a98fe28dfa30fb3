#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/db/database.h"
#include "daemon/image/kept_images.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/solver/step_cache.h"
#include "daemon/store/collector.h"
#include "daemon/store/contexts.h"
#include "daemon/store/saved_artifacts.h"
#include "daemon/store/snapshots.h"
#include "daemon/store/sweeper.h"

namespace ingot::test {

namespace fs = std::filesystem;

// All that a daemon keeps, opened as it opens it, over real files and a real database; only what runs containers is
// left out. Everything in it has a number, and what it is made of follows from that: step N stands on step N / 2, job N
// brings a context, saves artifacts, and some have an image of a step. So who knows which numbers were acknowledged
// knows all that must be there, to the byte.
class World {
 public:
  static constexpr int kSteps = 24;
  static constexpr int kImages = 4;

  static Result<std::unique_ptr<World>> open(const fs::path& state);
  ~World();

  Status make_step(int number);  // with all that it stands on, unless it is known
  Result<bool> hold_step(int number);
  void release_steps();
  Status keep_image(int number, int step);
  Status offer_context(int number);
  // Submits it, and waits for its end if there is one soon.
  Result<std::string> run_job(int number, std::chrono::milliseconds patience = std::chrono::seconds(20));
  Result<bool> is_over(const std::string& id);
  Status remove_artifact(int job, int artifact);
  Status retire(std::uint64_t jobs_left);
  Status prune(std::uint64_t keep_bytes);
  // All times for which something is kept for nobody are over.
  Result<store::Swept> sweep();
  Status compare_steps(int one, int other);
  Status sync();

  // The numbers of what is there.
  Result<std::set<int>> steps();
  Result<std::set<int>> images();
  Result<std::set<int>> contexts();
  Result<std::map<int, proto::Job>> jobs();

  // What is wrong with it, a line each; none: it is whole.
  std::vector<std::string> problems_of_step(int number);
  std::vector<std::string> problems_of_job(int number, const std::set<int>& removed);
  std::vector<std::string> problems_of_context(int number);
  // Where the counters are not what is on the disk, and files that are of nobody. After a sweep.
  std::vector<std::string> problems_of_disk();

  static int context_of(int job) { return job % 5; }
  static std::optional<int> image_of(int job) { return job % 3 == 0 ? std::optional(job % kSteps) : std::nullopt; }

 private:
  class AheadClock : public base::Clock {
   public:
    std::chrono::steady_clock::time_point now() const override { return base::system_clock().now(); }
    std::int64_t unix_ms() const override { return base::system_clock().unix_ms() + ahead_ms; }
    std::atomic<std::int64_t> ahead_ms{0};
  };

  explicit World(fs::path state) : state_(std::move(state)) {}
  Status run(jobs::JobRun& run);
  Result<store::Lease> step(int number);
  Result<proto::Artifact> save(const std::string& name, const std::string& text);
  Result<proto::Artifact> save_image(int job, int step);
  std::vector<std::string> problems_of_artifact(int job, const proto::Artifact& artifact, const proto::Job& row);

  const fs::path state_;
  AheadClock clock_;
  std::unique_ptr<db::Database> database_;
  std::optional<store::BlobStore> blobs_;
  std::optional<store::ContextStore> contexts_;
  std::optional<store::SnapshotStore> snapshots_;
  std::optional<store::Sweeper> sweeper_;
  std::optional<store::Collector> collector_;
  std::optional<solver::StepCache> steps_;
  std::optional<image::KeptImages> images_;
  std::optional<image::LayerBlobs> layers_;
  std::optional<store::SavedArtifacts> saved_;
  std::unique_ptr<jobs::JobQueue> queue_;
  std::mutex mutex_;  // guards the next
  std::map<int, store::Lease> held_;
};

}  // namespace ingot::test
