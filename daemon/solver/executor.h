#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/git/job_repositories.h"
#include "daemon/graph/graph.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/solver/cache_mounts.h"
#include "daemon/solver/client_side.h"
#include "daemon/solver/step_images.h"
#include "daemon/store/blobs.h"
#include "daemon/store/context_tree.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/binfmt.h"
#include "daemon/sys/rooted.h"
#include "proto/secrets.h"
#include "proto/types.h"

namespace ingot::solver {

// What every step of a build runs under.
struct Surroundings {
  sandbox::Network network = sandbox::Network::egress;
  sandbox::Limits limits;
  std::chrono::milliseconds step_timeout{0};  // 0: none
};

// The project directory of a build; steps outlive the build that began them, when another joins in.
struct Context {
  explicit Context(proto::ContextManifest what) : manifest(std::move(what)), tree(manifest) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  const proto::ContextManifest manifest;
  const store::ContextTree tree;
};

// What gives up, for as long as its result is held, what a build has while it waits for its client: a command of
// LOCALLY may build something here itself.
using StepAside = std::function<std::shared_ptr<void>()>;

// One step with all that it needs.
struct StepWork {
  graph::Step step;
  std::string name;                  // in the log of the build that began it
  std::vector<store::Lease> inputs;  // as graph::inputs
  std::shared_ptr<const Context> context;
  Surroundings surroundings;
  std::shared_ptr<const proto::Secrets> secrets;                 // those of the build that began it; null: it has none
  std::shared_ptr<git::JobRepositories> repositories = nullptr;  // of that build; null: it has no GitOp
  std::shared_ptr<ClientSide> client = nullptr;                  // does what LOCALLY says, lends an agent; null: nobody
  StepAside step_aside = {};                                     // empty: nothing is given up
};

// What a step wrote, still to be committed.
struct Executed {
  store::PendingSnapshot layer;
  std::uint64_t peak_memory_bytes = 0;
  std::optional<Error> failure = {};  // of a step that keeps what it wrote though it fails
};

// Makes a step's layer: runs the command, copies the files. Thread-safe.
class Executor {
 public:
  Executor(store::BlobStore& blobs, store::SnapshotStore& snapshots, sandbox::Sandbox& sandbox, fs::path caches,
           StepImages* images, sys::Binfmt binfmt)
      : blobs_(blobs),
        snapshots_(snapshots),
        sandbox_(sandbox),
        caches_(std::move(caches)),
        images_(images),
        binfmt_(std::move(binfmt)) {}

  // A command that fails is kind `step_failed`.
  Result<Executed> execute(const StepWork& work, const sys::OutputSink& output, const sys::CancelToken& cancel);
  CacheMounts& caches() { return caches_; }
  const CacheMounts& caches() const { return caches_; }
  // Whether a COPY takes the same of both.
  Result<bool> same_selection(const graph::CopyOp& op, store::SnapshotId one, store::SnapshotId other);

 private:
  Result<Executed> run_command(const StepWork& work, const graph::ExecOp& op, const sys::OutputSink& output,
                               const sys::CancelToken& cancel);
  // A command of another platform than the host's: whether what runs it is there.
  Status check_platform(const graph::ExecOp& op, store::SnapshotId on) const;
  Result<store::PendingSnapshot> keep(const graph::Answer& answer);
  // executor_locally.cpp
  Result<Executed> do_locally(const StepWork& work, const sys::OutputSink& output, const sys::CancelToken& cancel);
  Result<Executed> run_locally(const StepWork& work, const graph::ExecOp& op, const sys::OutputSink& output,
                               const sys::CancelToken& cancel);
  Status load_locally(const StepWork& work, const graph::StepImage& image, store::SnapshotId snapshot,
                      const sys::CancelToken& cancel);
  Result<Executed> take(const StepWork& work, const graph::TakeOp& op, const sys::CancelToken& cancel);
  Result<Executed> give(const StepWork& work, const graph::GiveOp& op, const sys::CancelToken& cancel);
  Result<Executed> check_out(const StepWork& work, const graph::GitOp& op, const sys::CancelToken& cancel);
  // A mounted stack, and the layer on top of it that is written.
  struct Stack {
    const sys::RootedDir& root;
    fs::path merged;
    fs::path upper;
  };
  Result<Executed> change(const StepWork& work, const std::function<Status(const Stack&)>& write,
                          const std::function<Status(store::PendingSnapshot&)>& afterwards = {});

  store::BlobStore& blobs_;
  store::SnapshotStore& snapshots_;
  sandbox::Sandbox& sandbox_;
  CacheMounts caches_;
  StepImages* images_;  // null: no step has any
  const sys::Binfmt binfmt_;
};

// Lets `look` see a snapshot's merged file system, which is read-only.
Status with_file_system(store::SnapshotStore& snapshots, store::SnapshotId id,
                        const std::function<Status(const sys::RootedDir&)>& look);

}  // namespace ingot::solver
