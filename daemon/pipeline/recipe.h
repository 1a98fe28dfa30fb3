#pragma once

#include "daemon/earthfile/earthfile.h"
#include "daemon/image/job_images.h"
#include "daemon/pipeline/context_host.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/executor.h"

namespace ingot::pipeline {

// A job's target as a graph, and the project directory that it was made from.
struct Recipe {
  std::shared_ptr<const solver::Context> context;
  std::shared_ptr<const earthfile::Interpretation> plan;
};

Result<std::shared_ptr<const solver::Context>> load_context(const Engine& engine, const proto::JobSpec& spec);

// Kind `invalid` for a strict job with warnings.
Status check_warnings(const proto::JobSpec& spec, const std::vector<std::string>& warnings);

// Fetches the images that the target starts from, and has run what its course depends on. What was interpreted before
// and would come out the same is not interpreted again. `locally`: whether LOCALLY is followed, or why not.
Result<Recipe> read_recipe(const Engine& engine, const proto::JobSpec& spec, earthfile::Request::Locally locally,
                           std::shared_ptr<const solver::Context> context, image::JobImages& images,
                           git::JobRepositories& repositories, const image::Progress& progress,
                           const sys::CancelToken& cancel, const ContextHost::Questions& questions);

}  // namespace ingot::pipeline
