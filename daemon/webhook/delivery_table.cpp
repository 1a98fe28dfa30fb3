#include "daemon/webhook/delivery_table.h"

namespace ingot::webhook {

Result<std::vector<DeliveryTable::Ending>> DeliveryTable::endings() const {
  std::vector<Ending> endings;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT s.seq, s.id FROM sweep_endings e JOIN sweeps s ON s.seq = e.sweep"));
    while (true) {
      INGOT_TRY(const bool more, query.step());
      if (!more) return {};
      endings.push_back({query.number(0), query.text(1)});
    }
  }));
  return endings;
}

Status DeliveryTable::insert(const std::vector<std::string>& urls, const std::string& body, std::int64_t now_ms) {
  for (const auto& url : urls) {
    INGOT_TRY(auto row,
              database_.prepare("INSERT INTO webhook_deliveries (url, body, since_ms, next_ms) VALUES (?, ?, ?, ?)"));
    INGOT_CHECK(row.bind(1, url).bind(2, body).bind(3, now_ms).bind(4, now_ms).run());
  }
  return {};
}

Status DeliveryTable::take(const Ending& ending, const std::vector<std::string>& urls, const std::string& body,
                           std::int64_t now_ms) {
  return database_.transaction([&]() -> Status {
    INGOT_CHECK(insert(urls, body, now_ms));
    INGOT_TRY(auto taken, database_.prepare("DELETE FROM sweep_endings WHERE sweep = ?"));
    return taken.bind(1, ending.number).run();
  });
}

Status DeliveryTable::add(const std::vector<std::string>& urls, const std::string& body, std::int64_t now_ms) {
  return database_.transaction([&] { return insert(urls, body, now_ms); });
}

Result<std::optional<Delivery>> DeliveryTable::next() const {
  std::optional<Delivery> next;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT seq, url, body, since_ms, next_ms, attempts FROM webhook_deliveries "
                                "ORDER BY next_ms, seq LIMIT 1"));
    INGOT_TRY(const bool found, query.step());
    if (!found) return {};
    next = Delivery{query.number(0), query.text(1), query.text(2), query.number(3), query.number(4), query.number(5)};
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

Status DeliveryTable::put_off(const Delivery& delivery, std::int64_t next_ms) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto one, database_.prepare("UPDATE webhook_deliveries SET attempts = attempts + 1 WHERE seq = ?"));
    INGOT_CHECK(one.bind(1, delivery.number).run());
    INGOT_TRY(auto all, database_.prepare("UPDATE webhook_deliveries SET next_ms = max(next_ms, ?) WHERE url = ?"));
    return all.bind(1, next_ms).bind(2, delivery.url).run();
  });
}

}  // namespace ingot::webhook
