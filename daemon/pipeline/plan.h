#pragma once

#include "daemon/pipeline/run_job.h"
#include "proto/step.h"

namespace ingot::pipeline {

// What a job of this specification would do, without doing it. Of the secrets, those for git let it ask for commits.
Result<proto::Plan> plan(const Engine& engine, const proto::JobSpec& spec, const proto::Secrets& secrets,
                         const sys::CancelToken& cancel);

}  // namespace ingot::pipeline
