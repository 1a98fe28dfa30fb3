#include "daemon/webhook/delivery_table.h"

namespace ingot::webhook {

Status DeliveryTable::take_endings(const std::function<std::vector<std::string>(const std::string& name)>& urls_of,
                                   std::int64_t now_ms) {
  return database_.transaction([&]() -> Status {
    struct Ending {
      std::int64_t sweep;
      std::string name;
    };
    std::vector<Ending> endings;
    {
      INGOT_TRY(auto query,
                database_.prepare("SELECT s.seq, s.name FROM sweep_endings e JOIN sweeps s ON s.seq = e.sweep"));
      while (true) {
        INGOT_TRY(const bool more, query.step());
        if (!more) break;
        endings.push_back({query.number(0), query.text(1)});
      }
    }
    for (const auto& ending : endings) {
      for (const auto& url : urls_of(ending.name)) {
        INGOT_TRY(auto row,
                  database_.prepare("INSERT INTO webhook_deliveries (sweep, url, since_ms, next_ms) VALUES (?1, "
                                    "?2, ?3, ?3)"));
        INGOT_CHECK(row.bind(1, ending.sweep).bind(2, url).bind(3, now_ms).run());
      }
    }
    INGOT_TRY(auto taken, database_.prepare("DELETE FROM sweep_endings"));
    return taken.run();
  });
}

Result<std::optional<DeliveryTable::Next>> DeliveryTable::next() const {
  std::optional<Next> next;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare(
                              "SELECT d.seq, s.id, d.url, d.since_ms, d.attempts, d.next_ms FROM webhook_deliveries d "
                              "JOIN sweeps s ON s.seq = d.sweep ORDER BY d.next_ms LIMIT 1"));
    INGOT_TRY(const bool found, query.step());
    if (!found) return {};
    next = Next{{query.number(0), query.text(1), query.text(2), query.number(3), query.number(4)}, query.number(5)};
    return {};
  }));
  return next;
}

Result<std::uint64_t> DeliveryTable::waiting() const {
  std::uint64_t count = 0;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT count(*) FROM webhook_deliveries"));
    INGOT_TRY(const bool found, query.step());
    if (found) count = static_cast<std::uint64_t>(query.number(0));
    return {};
  }));
  return count;
}

Status DeliveryTable::remove(std::int64_t number) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_.prepare("DELETE FROM webhook_deliveries WHERE seq = ?"));
    return deletion.bind(1, number).run();
  });
}

Status DeliveryTable::put_off(std::int64_t number, std::int64_t next_ms, const std::string& problem) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto update,
              database_.prepare("UPDATE webhook_deliveries SET attempts = attempts + 1, next_ms = ?, problem "
                                "= ? WHERE seq = ?"));
    return update.bind(1, next_ms).bind(2, problem).bind(3, number).run();
  });
}

}  // namespace ingot::webhook
