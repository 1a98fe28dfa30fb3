#include "daemon/pipeline/early_layers.h"

#include <exception>

#include "daemon/base/log.h"

namespace ingot::pipeline {

EarlyLayers::EarlyLayers(const graph::Graph& graph, image::LayerBlobs& layers, image::LayerForm form)
    : layers_(layers), form_(form) {
  for (const auto& image : graph.images) wanted_.insert(image.from);
}

EarlyLayers::~EarlyLayers() {
  {
    std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
  over_.cancel();
  if (thread_.joinable()) thread_.join();
}

void EarlyLayers::made(graph::StepId step, const store::Lease& result) {
  if (!wanted_.contains(step)) return;
  std::lock_guard lock(mutex_);
  waiting_.push_back(result);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void EarlyLayers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return done_ || !waiting_.empty(); });
    if (done_) return;
    const store::Lease snapshot = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    // What throws here must not end the daemon.
    try {
      auto made = layers_.of(snapshot.id(), form_, over_.token());
      if (!made) base::log::debug("packed later: {}", made.error().message);
    } catch (const std::exception& error) {
      base::log::debug("packed later: {}", error.what());
    }
    lock.lock();
  }
}

}  // namespace ingot::pipeline
