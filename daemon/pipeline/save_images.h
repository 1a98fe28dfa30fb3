#pragma once

#include "daemon/graph/graph.h"
#include "daemon/image/built_image.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// How the job wants its layers packed.
Result<image::LayerForm> layer_form(const Engine& engine, const proto::JobSpec& spec);

// SAVE IMAGE of a finished build, image by image; what says --push is pushed when the job asked for it, after the last
// one is made. Their manifests are artifacts of the job.
Result<std::vector<proto::Artifact>> save_images(const Engine& engine, const jobs::JobRun& run,
                                                 const proto::ContextManifest& context, const graph::Graph& graph,
                                                 const solver::Build& build, const image::LayerForm& form,
                                                 const image::Progress& progress);

}  // namespace ingot::pipeline
