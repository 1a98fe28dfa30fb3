#pragma once

#include "daemon/api/server.h"

namespace ingot::api {

enum class TargetIs { required, optional };

// What no job may be asked for, whatever its recipe says; platforms get their plain names.
Status check_job_values(proto::JobSpec& spec, TargetIs target);
// The same, and its context has to be there.
Status check_job_spec(const Services& services, proto::JobSpec& spec, TargetIs target);

}  // namespace ingot::api
