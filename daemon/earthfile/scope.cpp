#include "daemon/earthfile/scope.h"

#include <array>

namespace ingot::earthfile {

VariableTable::VariableTable(const graph::Variables& variables) {
  for (const auto& [name, value] : variables) set(name, value);
}

const VariableTable::Content& VariableTable::content() const {
  static const Content kNone;
  return content_ ? *content_ : kNone;
}

VariableTable::Content& VariableTable::own() {
  if (content_ == nullptr) content_ = std::make_shared<Content>();
  if (content_.use_count() > 1) content_ = std::make_shared<Content>(*content_);
  return *content_;
}

void VariableTable::set(const std::string& name, const std::string& value) {
  Content& content = own();
  auto [found, added] = content.index.try_emplace(name, content.entries.size());
  if (added) {
    content.entries.emplace_back(name, value);
    content.bytes += name.size() + value.size() + 2;  // as "NAME=value\0" counts in an environment
    return;
  }
  std::string& old = content.entries[found->second].second;
  content.bytes = content.bytes - old.size() + value.size();
  old = value;
}

void VariableTable::remove(const std::string& name) {
  if (!content().index.contains(name)) return;
  graph::Variables others;
  for (const auto& entry : entries()) {
    if (entry.first != name) others.push_back(entry);
  }
  *this = VariableTable(others);
}

std::optional<std::size_t> VariableTable::place_of(const std::string& name) const {
  const auto found = content().index.find(name);
  return found == content().index.end() ? std::nullopt : std::optional(found->second);
}

const std::string* VariableTable::find(const std::string& name) const {
  const auto found = content().index.find(name);
  return found == content().index.end() ? nullptr : &content().entries[found->second].second;
}

const std::string* Scope::find(const std::string& name) const {
  for (const auto* table : {&lets, &args, &env, &globals}) {
    if (const std::string* value = table->find(name)) return value;
  }
  return nullptr;
}

graph::SharedVariables Scope::all() const {
  std::array<std::shared_ptr<const void>, 4> now = {globals.identity(), env.identity(), args.identity(),
                                                    lets.identity()};
  if (now == made_of_) return made_;
  made_ = merged();
  made_of_ = std::move(now);
  return made_;
}

// Asked for by many RUNs and conditions, so it makes no index of its own.
graph::Variables Scope::merged() const {
  const std::array<const VariableTable*, 4> tables = {&globals, &env, &args, &lets};
  graph::Variables all;
  std::array<std::vector<std::size_t>, tables.size()> places;  // of each table's entries among the merged ones
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (const auto& entry : tables[i]->entries()) {
      std::optional<std::size_t> place;
      for (std::size_t below = 0; below < i && !place; ++below) {
        if (const auto known = tables[below]->place_of(entry.first)) place = places[below][*known];
      }
      if (place) {
        all[*place].second = entry.second;
      } else {
        place = all.size();
        all.push_back(entry);
      }
      places[i].push_back(*place);
    }
  }
  return all;
}

}  // namespace ingot::earthfile
