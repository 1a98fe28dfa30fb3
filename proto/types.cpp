#include "proto/types.h"

#include <array>

namespace ingot::proto {

namespace {
constexpr std::array<const char*, 5> kStateNames = {"queued", "running", "succeeded", "failed", "canceled"};
constexpr std::array<const char*, 8> kEventNames = {"state", "step_start", "output", "step_end",
                                                    "note",  "tail",       "cut",    "artifact"};
constexpr std::array<const char*, 3> kPullNames = {"missing", "always", "never"};
}  // namespace

const char* name_of(PullPolicy policy) {
  return kPullNames.at(static_cast<std::size_t>(policy));
}
const char* name_of(JobState state) {
  return kStateNames.at(static_cast<std::size_t>(state));
}
const char* name_of(EventType type) {
  return kEventNames.at(static_cast<std::size_t>(type));
}

std::optional<PullPolicy> pull_policy_from_name(const std::string& name) {
  for (std::size_t i = 0; i < kPullNames.size(); ++i) {
    if (name == kPullNames.at(i)) return static_cast<PullPolicy>(i);
  }
  return std::nullopt;
}

std::optional<JobState> job_state_from_name(const std::string& name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (name == kStateNames.at(i)) return static_cast<JobState>(i);
  }
  return std::nullopt;
}

std::optional<EventType> event_type_from_name(const std::string& name) {
  for (std::size_t i = 0; i < kEventNames.size(); ++i) {
    if (name == kEventNames.at(i)) return static_cast<EventType>(i);
  }
  return std::nullopt;
}

}  // namespace ingot::proto
