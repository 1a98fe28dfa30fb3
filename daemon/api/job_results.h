#pragma once

#include "daemon/api/server.h"
#include "proto/results.h"

namespace ingot::api {

// What a job that ended left: its artifacts, what the manifests of its images say, and what a cluster profile says of
// those that are provider images.
Result<proto::JobResults> job_results(const Services& services, const proto::Job& job);

}  // namespace ingot::api
