#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Of all variables that one recipe sees: Linux takes no larger environment into a process.
inline constexpr std::size_t kLargestScope = 2U << 20;

// Variables in order of declaration, found by name at once. Copies share what they hold until one of them is changed:
// recipes are remembered with all that they see. One thread at a time has a table or any copy of it.
class VariableTable {
 public:
  VariableTable() = default;
  explicit VariableTable(const graph::Variables& variables);

  // A name that is there keeps its place.
  void set(const std::string& name, const std::string& value);
  void remove(const std::string& name);
  const std::string* find(const std::string& name) const;
  std::optional<std::size_t> place_of(const std::string& name) const;  // among the entries
  const graph::Variables& entries() const { return content().entries; }
  std::size_t bytes() const { return content().bytes; }
  // Equal for copies of which none was changed. Who keeps it keeps the content, too.
  std::shared_ptr<const void> identity() const { return content_; }

 private:
  struct Content {
    graph::Variables entries;
    std::unordered_map<std::string, std::size_t> index;  // once there are so many that looking through them takes long
    std::size_t bytes = 0;
    std::optional<std::size_t> place_of(const std::string& name) const;
    void add(const std::string& name, const std::string& value);
  };
  const Content& content() const;
  Content& own();

  std::shared_ptr<Content> content_;  // null: empty
};

// The variables that one recipe sees. Looked up in this order: LET, ARG, ENV (the base image's too), globals.
class Scope {
 public:
  VariableTable lets;
  VariableTable args;
  VariableTable env;
  VariableTable globals;

  const std::string* find(const std::string& name) const;
  // All of them, as a step's environment.
  graph::SharedVariables all() const;
  std::size_t bytes() const { return lets.bytes() + args.bytes() + env.bytes() + globals.bytes(); }

 private:
  graph::Variables merged() const;

  // What all() made last, and of what: most steps see what the one before them saw.
  mutable std::array<std::shared_ptr<const void>, 4> made_of_;
  mutable graph::SharedVariables made_;
};

}  // namespace ingot::earthfile
