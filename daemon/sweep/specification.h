#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/edge/findings.h"
#include "daemon/edge/schema.h"

// sweep.yaml: many jobs that differ in a few arguments, as one thing with one verdict.
namespace ingot::sweep {

// A value, and where the file says it.
struct Value {
  std::string text;
  proto::Position position;
};

// An argument that takes each of several values. What is said of K8S_VERSION may be a range of versions.
struct Axis {
  std::string name;
  proto::Position position;
  std::vector<Value> values;
};

// One value for each of some arguments.
struct Case {
  std::map<std::string, std::string> values;
  proto::Position position;
};

// What some cells have otherwise.
struct Override {
  Case when;
  std::map<std::string, std::string> args;
  std::optional<std::uint64_t> timeout_seconds;
  std::optional<int> priority;
};

enum class Publish {
  each,            // a cell's images are pushed when it is done
  all_or_nothing,  // all of them once every cell is
};

struct Limits {
  unsigned parallel = 0;           // cells at the same time; 0: as many as the daemon runs jobs
  std::uint64_t time_seconds = 0;  // of the whole sweep; 0: none
  std::uint64_t disk_bytes = 0;    // of what its cells make, together; 0: none
};

// How long what its jobs left is kept, since the end of the sweep; 0: as long as the daemon keeps it.
struct Retention {
  std::uint64_t jobs_seconds = 0;  // all of them, logs and artifacts too
  std::uint64_t artifacts_seconds = 0;
};

struct Specification {
  std::string name;
  std::string project = ".";  // beside the file
  std::vector<Value> targets;
  Value base;  // a target that is built before any cell; empty: none
  std::map<std::string, std::string> args;
  std::vector<Axis> axes;  // in the file's order
  std::vector<Case> include;
  std::vector<Case> exclude;
  std::vector<Override> overrides;
  std::vector<std::string> secrets;
  bool push = false;
  Publish publish = Publish::each;
  int priority = 0;
  std::uint64_t timeout_seconds = 0;  // of each cell
  Limits limits;
  Retention retention;
  unsigned stop_after = 0;  // so many failures; 0: goes on
};

struct Read {
  Specification specification;  // of use only without errors
  edge::Findings findings;
};

// `name`: what a sweep is called whose file does not say.
Read read_specification(std::string_view text, const std::string& file_name, const std::string& name);

const edge::Schema& sweep_schema();

}  // namespace ingot::sweep
