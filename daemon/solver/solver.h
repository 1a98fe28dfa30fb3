#pragma once

#include <map>
#include <string>

#include "daemon/graph/graph.h"
#include "daemon/image/images.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "proto/types.h"

namespace ingot::solver {

// What a build is told as it goes; the pipeline writes it to the job's log.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step_started(const std::string& step, const graph::Step& what) = 0;
  virtual void output(const std::string& step, const graph::Step& what, sys::Stream stream,
                      std::string_view bytes) = 0;
  virtual void step_ended(const std::string& step, const graph::Step& what, int exit_code,
                          double seconds) = 0;
  virtual void note(const std::string& text) = 0;
};

struct Surroundings {
  store::BlobStore& blobs;
  store::SnapshotStore& snapshots;
  image::Images& images;
  sandbox::Sandbox& sandbox;
  sandbox::Network network = sandbox::Network::egress;
  sandbox::Limits limits;
  std::chrono::milliseconds step_timeout{0};  // 0: none
  sys::CancelToken cancel;
};

// The snapshots of a finished graph: one for each step. Those that are the build's own are removed with the
// object.
class Built;

}  // namespace ingot::solver
