#pragma once

#include "daemon/graph/graph.h"
#include "daemon/image/built_image.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// How the job wants its layers packed.
Result<image::LayerForm> layer_form(const Engine& engine, const proto::JobSpec& spec);

// An image that a job keeps under a name.
struct SavedImage {
  const graph::SaveImage* save = nullptr;
  image::BuiltImage image;
  bool push = false;  // it says --push
};

// SAVE IMAGE of a finished build, image by image.
Result<std::vector<SavedImage>> save_images(const Engine& engine, const jobs::JobRun& run,
                                            const proto::ContextManifest& context, const graph::Graph& graph,
                                            const solver::Build& build, const image::LayerForm& form);

// What says --push, when the job asked for it.
Status push_images(const Engine& engine, const jobs::JobRun& run, const std::vector<SavedImage>& images,
                   const image::LayerForm& form, const image::Progress& progress);

// An image's manifest is an artifact of the job.
proto::Artifact manifest_artifact(const image::BuiltImage& image);

// For the job's log.
std::string told(const image::BuiltImage& image);

}  // namespace ingot::pipeline
