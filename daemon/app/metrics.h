#pragma once

#include <string>

#include "daemon/image/images.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/pipeline/admission.h"
#include "daemon/pipeline/kept_recipes.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/solver/solver.h"
#include "daemon/store/blobs.h"
#include "daemon/store/collector.h"
#include "daemon/store/sweeper.h"
#include "daemon/webhook/webhooks.h"

namespace ingot::app {

struct Measured {
  const jobs::JobQueue& queue;
  const solver::Solver& solver;
  const image::Images& images;
  const store::BlobStore& blobs;
  const store::Collector& collector;
  const store::Sweeper& sweeper;
  const pipeline::Admission& admission;
  const pipeline::KeptRecipes& recipes;
  const webhook::Webhooks& webhooks;
  schedule::Scheduler& schedules;
  unsigned slots = 0;
  std::int64_t started_ms = 0;
};

// All that the daemon counts, as GET /metrics answers. Counters begin anew with each start.
std::string metrics_text(const Measured& daemon);

}  // namespace ingot::app
