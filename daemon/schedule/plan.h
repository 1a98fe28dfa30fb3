#pragma once

#include <cstdint>
#include <string>

#include "daemon/schedule/cron.h"

namespace ingot::schedule {

// What the configuration says of a schedule.
struct Plan {
  std::string name;
  std::string file;  // of the sweep
  std::string cron_text;
  Cron cron;
  std::string time_zone;  // empty: the host's
  std::int64_t jitter_seconds = 0;
};

// Kind `invalid` for one that cannot work.
Status check_plan(const Plan& plan);

// How much later than its time it begins, for its jitter: the same for one schedule and time wherever it is asked, and
// another one for another schedule.
std::int64_t delay_ms(const Plan& plan, std::int64_t time_ms);

}  // namespace ingot::schedule
