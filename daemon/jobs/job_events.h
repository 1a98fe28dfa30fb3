#pragma once

#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::jobs {

// What the queue itself writes into a job's log.
proto::Event state_event(proto::JobState state, const std::optional<Error>& error = {});
proto::Event note_event(std::string text);

}  // namespace ingot::jobs
