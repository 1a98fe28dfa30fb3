#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "daemon/graph/graph.h"
#include "daemon/image/images.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/rooted.h"
#include "proto/types.h"

namespace ingot::solver {

// What a build is told as it goes; the pipeline writes it to the job's log.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step_started(const std::string& step, const graph::Step& what) = 0;
  virtual void output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) = 0;
  virtual void step_ended(const std::string& step, const graph::Step& what, int exit_code, double seconds) = 0;
  virtual void note(const std::string& text) = 0;
};

struct Surroundings {
  store::BlobStore& blobs;
  store::SnapshotStore& snapshots;
  image::Images& images;
  sandbox::Sandbox& sandbox;
  const proto::ContextManifest& context;
  sandbox::Network network = sandbox::Network::egress;
  sandbox::Limits limits;
  std::chrono::milliseconds step_timeout{0};  // 0: none
  sys::CancelToken cancel;
};

// The file systems of a graph, step by step. The snapshots that the build made are its own and go with it; those of
// images stay.
class Build {
 public:
  Build(const graph::Graph& graph, const Surroundings& surroundings, Observer& observer);
  ~Build();
  Build(const Build&) = delete;
  Build& operator=(const Build&) = delete;

  // Executes every step. A step that fails is kind `step_failed`, with its position.
  Status run();
  // After run(): what SAVE ARTIFACT hands out.
  Result<std::vector<proto::Artifact>> save(const graph::SaveArtifact& artifact);

 private:
  Result<store::SnapshotId> execute(const std::string& name, const graph::Step& step);
  Result<store::SnapshotId> from_image(const graph::ImageOp& op);
  Result<store::SnapshotId> run_command(const std::string& name, const graph::Step& step, const graph::ExecOp& op);
  // Lets `change` write into a new layer on top of the step's parent.
  Result<store::SnapshotId> with_layer(const graph::Step& step,
                                       const std::function<Status(const sys::RootedDir&)>& change);

  const graph::Graph& graph_;
  const Surroundings& surroundings_;
  Observer& observer_;
  std::vector<store::SnapshotId> results_;  // by step
  std::vector<store::SnapshotId> own_;      // in order of their making
};

}  // namespace ingot::solver
