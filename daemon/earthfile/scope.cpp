#include "daemon/earthfile/scope.h"

namespace ingot::earthfile {

VariableTable::VariableTable(const graph::Variables& variables) {
  for (const auto& [name, value] : variables) set(name, value);
}

void VariableTable::set(const std::string& name, const std::string& value) {
  auto [found, added] = index_.try_emplace(name, entries_.size());
  if (added) {
    entries_.emplace_back(name, value);
    bytes_ += name.size() + value.size() + 2;  // as "NAME=value\0" counts in an environment
    return;
  }
  std::string& old = entries_[found->second].second;
  bytes_ = bytes_ - old.size() + value.size();
  old = value;
}

void VariableTable::remove(const std::string& name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  graph::Variables others;
  for (auto& entry : entries_) {
    if (entry.first != name) others.push_back(std::move(entry));
  }
  *this = VariableTable(others);
}

const std::string* VariableTable::find(const std::string& name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const std::string* Scope::find(const std::string& name) const {
  for (const auto* table : {&lets, &args, &env, &globals}) {
    if (const std::string* value = table->find(name)) return value;
  }
  return nullptr;
}

graph::Variables Scope::all() const {
  VariableTable merged(globals.entries());
  for (const auto* table : {&env, &args, &lets}) {
    for (const auto& [name, value] : table->entries()) merged.set(name, value);
  }
  return merged.entries();
}

}  // namespace ingot::earthfile
