#pragma once

#include "daemon/image/images.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/store/blobs.h"
#include "daemon/store/contexts.h"
#include "daemon/store/snapshots.h"

namespace ingot::pipeline {

struct Engine {
  store::BlobStore& blobs;
  store::ContextStore& contexts;
  store::SnapshotStore& snapshots;
  image::Images& images;
  sandbox::Sandbox& sandbox;
  sandbox::Network default_network = sandbox::Network::egress;
  sandbox::Limits default_limits;
  std::chrono::seconds step_timeout{0};  // 0: none
};

// A job from its context to its artifacts, pass by pass.
Status run_job(const Engine& engine, jobs::JobRun& run);

}  // namespace ingot::pipeline
