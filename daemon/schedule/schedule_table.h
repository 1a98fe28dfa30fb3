#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/db/database.h"

namespace ingot::schedule {

// What has to be known of a schedule when the daemon comes back.
struct Memory {
  std::string when;  // its cron expression and time zone at that time
  bool is_paused = false;
  std::int64_t handled_ms = 0;  // everything that was due until then is dealt with
  std::int64_t ran_ms = 0;      // the last time that it was its turn; 0: never
  std::string sweep;
  std::string problem;
};

// The rows of schedules. Every method is one transaction: when it returns ok, the change is durable.
class ScheduleTable {
 public:
  explicit ScheduleTable(db::Database& database) : database_(database) {}

  Result<std::optional<Memory>> find(const std::string& name) const;
  Status put(const std::string& name, const Memory& memory);
  // Those that the configuration has no more: should one come back, it begins anew.
  Status keep_only(const std::vector<std::string>& names);

 private:
  db::Database& database_;
};

}  // namespace ingot::schedule
