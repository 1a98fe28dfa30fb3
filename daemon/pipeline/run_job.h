#pragma once

#include "daemon/git/repositories.h"
#include "daemon/image/images.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/jobs/client_channel.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/pipeline/admission.h"
#include "daemon/pipeline/kept_recipes.h"
#include "daemon/solver/solver.h"
#include "daemon/store/blobs.h"
#include "daemon/store/contexts.h"

namespace ingot::pipeline {

struct Engine {
  store::BlobStore& blobs;
  store::ContextStore& contexts;
  store::SnapshotStore& snapshots;
  image::Images& images;
  git::Repositories& repositories;
  image::LayerBlobs& layers;
  solver::Solver& solver;
  Admission& admission;
  KeptRecipes& recipes;
  jobs::ClientChannels& clients;
  sys::ProcessRunner& processes;
  store::fs::path work_directory;  // on the blobs' file system
  solver::Surroundings surroundings;
  proto::Compression compression = proto::Compression::gzip;  // of images, when a job does not say
  bool allow_locally = false;
};

// A job from its context to its artifacts, pass by pass.
Status run_job(const Engine& engine, jobs::JobRun& run);

}  // namespace ingot::pipeline
