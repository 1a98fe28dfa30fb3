#include "proto/types.h"

#include <array>

namespace ingot::proto {

namespace {
constexpr std::array<const char*, 5> kStateNames = {"queued", "running", "succeeded", "failed", "canceled"};
constexpr std::array<const char*, 8> kEventNames = {"state", "step_start", "output", "step_end",
                                                    "note",  "tail",       "cut",    "artifact"};
constexpr std::array<const char*, 3> kPullNames = {"missing", "always", "never"};
constexpr std::array<const char*, 3> kCompressionNames = {"gzip", "zstd", "none"};

template <typename Enum, std::size_t size>
std::optional<Enum> named(const std::array<const char*, size>& names, const std::string& name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (name == names.at(i)) return static_cast<Enum>(i);
  }
  return std::nullopt;
}
}  // namespace

const char* name_of(PullPolicy policy) {
  return kPullNames.at(static_cast<std::size_t>(policy));
}
const char* name_of(Compression compression) {
  return kCompressionNames.at(static_cast<std::size_t>(compression));
}
const char* name_of(JobState state) {
  return kStateNames.at(static_cast<std::size_t>(state));
}
const char* name_of(EventType type) {
  return kEventNames.at(static_cast<std::size_t>(type));
}

std::optional<PullPolicy> pull_policy_from_name(const std::string& name) {
  return named<PullPolicy>(kPullNames, name);
}
std::optional<Compression> compression_from_name(const std::string& name) {
  return named<Compression>(kCompressionNames, name);
}
std::optional<JobState> job_state_from_name(const std::string& name) {
  return named<JobState>(kStateNames, name);
}
std::optional<EventType> event_type_from_name(const std::string& name) {
  return named<EventType>(kEventNames, name);
}

bool names_repository(const std::string& target) {
  const std::string where = target.substr(0, target.find('+'));
  return where.size() + 1 < target.size() && where.find('/') != std::string::npos && where.front() != '.' &&
         where.front() != '/' && where.front() != '-';
}

}  // namespace ingot::proto
