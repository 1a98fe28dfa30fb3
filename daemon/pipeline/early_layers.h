#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "daemon/graph/graph.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/sys/cancel.h"

namespace ingot::pipeline {

// Packs the layers of a job's images while its other steps still run: save_images() finds them made. What goes wrong
// here goes wrong there once more, and is told then.
class EarlyLayers {
 public:
  EarlyLayers(const graph::Graph& graph, image::LayerBlobs& layers, image::LayerForm form);
  ~EarlyLayers();  // gives up what is not packed yet
  EarlyLayers(const EarlyLayers&) = delete;
  EarlyLayers& operator=(const EarlyLayers&) = delete;

  void made(graph::StepId step, const store::Lease& result);

 private:
  void run();

  image::LayerBlobs& layers_;
  const image::LayerForm form_;
  sys::CancelSource over_;
  std::set<graph::StepId> wanted_;  // those that images stand on
  std::mutex mutex_;                // guards the next two
  std::condition_variable changed_;
  std::deque<store::Lease> waiting_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace ingot::pipeline
