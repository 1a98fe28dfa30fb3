#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "proto/codec.h"

namespace ingot::proto {

// A sweep that the daemon runs by itself, again and again.
struct Schedule {
  std::string name;
  std::string file;  // of the sweep
  std::string cron;
  std::string time_zone;  // empty: the host's
  std::int64_t jitter_seconds = 0;
  bool is_paused = false;
  bool is_submitting = false;
  std::int64_t next_ms = 0;  // when it begins next; 0: not at all
  // The last time that it was its turn; 0: never so far.
  std::int64_t ran_ms = 0;
  std::string sweep;    // that came of it; empty: none did
  std::string problem;  // why not
};

nlohmann::json to_json(const Schedule& value);
Decoded<Schedule> schedule_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
