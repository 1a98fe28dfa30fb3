#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/codec.h"

// Many jobs that differ in a few arguments, as one thing with one verdict.
namespace ingot::proto {

// One of them, as it is submitted: what it has otherwise than the others.
struct SweepCellSpec {
  std::string name;  // unique in its sweep
  std::string target;
  std::map<std::string, std::string> values;  // of the axes
  std::map<std::string, std::string> args;    // all of its job's
  std::uint64_t timeout_seconds = 0;
  int priority = 0;
};

struct SweepSpec {
  std::string name;
  std::vector<std::string> axes;  // in the order of the file
  JobSpec job;  // what all have in common; its target and args are the base's, which has no target if there is none
  std::vector<SweepCellSpec> cells;
  unsigned parallel = 0;           // cells at the same time; 0: no limit of its own
  std::uint64_t time_seconds = 0;  // of the whole sweep; 0: none
  std::uint64_t disk_bytes = 0;    // of what its cells make; 0: none
  unsigned stop_after = 0;         // so many failures; 0: goes on
  // How long what its jobs left is kept after its end; 0: as long as the daemon keeps it, which is never exceeded.
  std::uint64_t keep_jobs_seconds = 0;
  std::uint64_t keep_artifacts_seconds = 0;
  bool publish_whole = false;  // images are pushed once every cell is done
  std::string idempotency_key;
};

enum class SweepState {
  running,
  publishing,  // every cell is done, and images go to their registries
  succeeded,
  failed,
  canceled,
};
const char* name_of(SweepState state);
std::optional<SweepState> sweep_state_from_name(const std::string& name);
inline bool is_final(SweepState state) {
  return state != SweepState::running && state != SweepState::publishing;
}

struct SweepCell {
  int number = 0;  // 0: the base, which has no name
  std::string name;
  std::string target;
  std::map<std::string, std::string> values;
  JobState state = JobState::queued;
  std::string job;  // the last that was run for it
  std::optional<Error> error;
  double seconds = 0;
  std::uint64_t bytes = 0;     // of what it made
  std::uint64_t steps = 0;     // that its job has
  std::uint64_t executed = 0;  // of those, that were run
  std::int64_t finished_ms = 0;
};

struct Sweep {
  std::string id;
  std::string name;
  std::string project;
  std::vector<std::string> axes;
  SweepState state = SweepState::running;
  std::string reason;  // why it was stopped, or what it waits for
  Submitter submitter;
  std::int64_t created_ms = 0;
  std::int64_t finished_ms = 0;
  std::map<std::string, std::uint64_t> counts;  // of its cells, by the name of their state
  bool existed = false;                         // of a submission: an equal one is running already
  std::vector<SweepCell> cells;                 // not in lists of sweeps
};

// What earlier runs say of a cell.
struct CellForecast {
  std::string name;
  bool is_known = false;      // by a cell of this name that succeeded
  bool is_unchanged = false;  // its inputs are those of that time: nothing is to be done
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t steps = 0;
  std::uint64_t executed = 0;
};

nlohmann::json to_json(const SweepSpec& value);
nlohmann::json to_json(const Sweep& value);
nlohmann::json to_json(const SweepCell& value);
nlohmann::json to_json(const CellForecast& value);
Decoded<SweepSpec> sweep_spec_from_json(const nlohmann::json& body);
Decoded<Sweep> sweep_from_json(const nlohmann::json& body);
Decoded<SweepCell> sweep_cell_from_json(const nlohmann::json& body);
Decoded<CellForecast> cell_forecast_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
