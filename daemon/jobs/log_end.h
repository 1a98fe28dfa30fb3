#pragma once

#include "daemon/base/clock.h"
#include "daemon/jobs/job_log.h"

namespace ingot::jobs {

// Whether the last whole line is the event of a final state.
Result<bool> has_log_end(const fs::path& path);

// A job's log ends with the event of its final state. When the daemon died after it had recorded that state and before
// it wrote the event, the event is written now: `end` is appended unless the last whole line is already a final one.
Status ensure_log_end(const fs::path& path, proto::Event end, base::Clock& clock, JobLog::Total total = {});

}  // namespace ingot::jobs
