#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/db/database.h"
#include "proto/step.h"

namespace ingot::jobs {

// What a job did about one step, kept for `ingot why`.
struct StepRecord {
  int number = 0;  // in the job
  int place = 0;   // in its target
  std::string target;
  std::string text;
  std::string position;
  std::string how;  // as proto::StepReport has it
  double seconds = 0;
  bool asked_to_run = false;                 // --no-cache
  std::map<std::string, std::string> parts;  // what its key is made of, by name, with a digest of each
  std::uint64_t bytes = 0;                   // of the layer that it made
  bool stands_on_anew = false;               // not itself, but what it stands on was asked to run
  // Where the parts are long to make: they are made only if nothing is kept under this digest, which is equal for equal
  // parts of steps that stand on something anew or do not. Empty: `parts` has them.
  std::string parts_digest = {};
  std::function<std::map<std::string, std::string>()> make_parts = {};
};

// The rows of steps of jobs. Thread-safe.
class StepTable {
 public:
  explicit StepTable(db::Database& database) : database_(database) {}

  Status record(const std::string& job, const std::vector<StepRecord>& steps);
  // What a step's layer had when it was last made for this project; 0: it never was.
  Result<std::uint64_t> expected_bytes(const std::string& project, const std::string& target,
                                       const std::string& text) const;
  // What the artifacts of the last job of this target had that succeeded.
  Result<std::uint64_t> expected_artifacts(const std::string& project, const std::string& target) const;
  // Every step of a job, with what is different from the last time that a job had it.
  Result<std::vector<proto::StepReport>> reports(const std::string& job) const;

 private:
  struct Row {
    StepRecord step;
    std::int64_t job = 0;
    std::string asked_by;  // the flag that asked it to run
  };
  Result<std::set<std::string>> kept_parts(const std::vector<StepRecord>& steps) const;
  Status write(const std::string& job, const std::vector<StepRecord>& steps, const std::set<std::string>& kept);
  Result<std::vector<Row>> rows(const std::string& job) const;
  Status compare(const Row& row, proto::StepReport& report) const;

  db::Database& database_;
};

}  // namespace ingot::jobs
