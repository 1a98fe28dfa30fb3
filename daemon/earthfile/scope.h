#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Of all variables that one recipe sees: Linux takes no larger environment into a process.
inline constexpr std::size_t kLargestScope = 2U << 20;

// Variables in order of declaration, found by name at once.
class VariableTable {
 public:
  VariableTable() = default;
  explicit VariableTable(const graph::Variables& variables);

  // A name that is there keeps its place.
  void set(const std::string& name, const std::string& value);
  void remove(const std::string& name);
  const std::string* find(const std::string& name) const;
  const graph::Variables& entries() const { return entries_; }
  std::size_t bytes() const { return bytes_; }

 private:
  graph::Variables entries_;
  std::unordered_map<std::string, std::size_t> index_;
  std::size_t bytes_ = 0;
};

// The variables that one recipe sees. Looked up in this order: LET, ARG, ENV (the base image's too), globals.
struct Scope {
  VariableTable lets;
  VariableTable args;
  VariableTable env;
  VariableTable globals;

  const std::string* find(const std::string& name) const;
  // All of them, as a step's environment.
  graph::Variables all() const;
  std::size_t bytes() const { return lets.bytes() + args.bytes() + env.bytes() + globals.bytes(); }
};

}  // namespace ingot::earthfile
