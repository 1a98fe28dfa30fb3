#include "daemon/solver/step_cache.h"

#include "daemon/base/clock.h"
#include "daemon/base/strings.h"

namespace ingot::solver {

namespace {

constexpr char kSeparator = ' ';

std::string encode(const StepInputs& inputs) {
  std::string text;
  for (const auto& input : inputs) text += (text.empty() ? "" : std::string(1, kSeparator)) + input;
  return text;
}

// The snapshot of a query's one row. None without a row, or when somebody removed its files.
Result<std::optional<store::SnapshotId>> first(db::Statement& query, const store::SnapshotStore& snapshots) {
  INGOT_TRY(bool found, query.step());
  if (!found || !snapshots.is_there(query.number(0))) return std::nullopt;
  return query.number(0);
}

}  // namespace

Result<std::optional<store::Lease>> StepCache::find(const base::Digest& key) {
  return snapshots_.lease([&]() -> Result<std::optional<store::SnapshotId>> {
    std::optional<store::SnapshotId> id;
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT snapshot FROM steps WHERE key = ?"));
      INGOT_TRY(id, first(query.bind(1, key.str()), snapshots_));
      return {};
    }));
    return id;
  });
}

Result<std::optional<store::Lease>> StepCache::find(const base::Digest& operation, const StepInputs& inputs) {
  return snapshots_.lease([&]() -> Result<std::optional<store::SnapshotId>> {
    std::optional<store::SnapshotId> id;
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT snapshot FROM steps WHERE operation = ? AND inputs = ? "
                                              "ORDER BY made_ms DESC LIMIT 1"));
      INGOT_TRY(id, first(query.bind(1, operation.str()).bind(2, encode(inputs)), snapshots_));
      return {};
    }));
    return id;
  });
}

Result<std::vector<KnownStep>> StepCache::candidates(const base::Digest& operation) {
  std::vector<KnownStep> known;
  // One lease at a time would let the next candidate go between being found and being leased.
  INGOT_TRY(auto none, snapshots_.lease([&]() -> Result<std::optional<store::SnapshotId>> {
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT inputs, snapshot FROM steps WHERE operation = ? "
                                              "GROUP BY inputs ORDER BY max(made_ms) DESC LIMIT 8"));
      query.bind(1, operation.str());
      while (true) {
        INGOT_TRY(bool more, query.step());
        if (!more) return {};
        if (!snapshots_.is_there(query.number(1))) continue;
        known.push_back({base::split(query.text(0), kSeparator), snapshots_.lease(query.number(1))});
      }
    }));
    return std::nullopt;
  }));
  (void)none;
  return known;
}

Status StepCache::record(const base::Digest& key, const base::Digest& operation, const StepInputs& inputs,
                         store::SnapshotId snapshot, StepCost cost) {
  INGOT_TRY(auto insertion,
            database_.prepare("INSERT INTO steps (key, operation, inputs, snapshot, cost_ms, memory, made_ms) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO UPDATE SET operation = ?2, "
                              "inputs = ?3, snapshot = ?4, cost_ms = ?5, memory = ?6, made_ms = ?7"));
  insertion.bind(1, key.str()).bind(2, operation.str()).bind(3, encode(inputs)).bind(4, snapshot);
  insertion.bind(5, cost.milliseconds).bind(6, static_cast<std::int64_t>(cost.memory_bytes));
  return insertion.bind(7, base::system_clock().unix_ms()).run();
}

Result<StepCost> StepCache::cost_of(const base::Digest& operation) {
  StepCost cost;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT cost_ms, memory FROM steps WHERE operation = ? "
                                            "ORDER BY made_ms DESC LIMIT 1"));
    INGOT_TRY(bool known, query.bind(1, operation.str()).step());
    if (known) cost = {query.number(0), static_cast<std::uint64_t>(query.number(1))};
    return {};
  }));
  return cost;
}

Status StepCache::remember(const base::Digest& key, const base::Digest& operation, const StepInputs& inputs,
                           store::SnapshotId snapshot) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT max(cost_ms), max(memory) FROM steps WHERE snapshot = ?"));
    INGOT_CHECK(query.bind(1, snapshot).step());
    return record(key, operation, inputs, snapshot, {query.number(0), static_cast<std::uint64_t>(query.number(1))});
  });
}

}  // namespace ingot::solver
