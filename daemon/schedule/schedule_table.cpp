#include "daemon/schedule/schedule_table.h"

#include <nlohmann/json.hpp>

namespace ingot::schedule {

Result<std::optional<Memory>> ScheduleTable::find(const std::string& name) const {
  std::optional<Memory> memory;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT occurs, paused, handled_ms, ran_ms, sweep, problem FROM schedules "
                                            "WHERE name = ?"));
    INGOT_TRY(const bool found, query.bind(1, name).step());
    if (!found) return {};
    memory =
        Memory{query.text(0), query.number(1) != 0, query.number(2), query.number(3), query.text(4), query.text(5)};
    return {};
  }));
  return memory;
}

Status ScheduleTable::put(const std::string& name, const Memory& memory) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto row, database_.prepare("INSERT OR REPLACE INTO schedules (name, occurs, paused, handled_ms, ran_ms, "
                                          "sweep, problem) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    return row.bind(1, name)
        .bind(2, memory.when)
        .bind(3, std::int64_t(memory.is_paused))
        .bind(4, memory.handled_ms)
        .bind(5, memory.ran_ms)
        .bind(6, memory.sweep)
        .bind(7, memory.problem)
        .run();
  });
}

Status ScheduleTable::keep_only(const std::vector<std::string>& names) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto deletion,
              database_.prepare("DELETE FROM schedules WHERE name NOT IN (SELECT value FROM json_each(?))"));
    return deletion.bind(1, nlohmann::json(names).dump()).run();
  });
}

}  // namespace ingot::schedule
