#include "daemon/earthfile/scope.h"

#include <algorithm>
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

std::optional<std::size_t> VariableTable::Content::place_of(const std::string& name) const {
  if (index.empty()) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
    return found == entries.end() ? std::nullopt : std::optional<std::size_t>(found - entries.begin());
  }
  const auto found = index.find(name);
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

void VariableTable::Content::add(const std::string& name, const std::string& value) {
  constexpr std::size_t kFew = 64;  // an index costs an allocation an entry, for each copy of the table
  entries.emplace_back(name, value);
  bytes += name.size() + value.size() + 2;  // as "NAME=value\0" counts in an environment
  if (entries.size() <= kFew) return;
  for (std::size_t i = index.size(); i < entries.size(); ++i) index.emplace(entries[i].first, i);
}

void VariableTable::set(const std::string& name, const std::string& value) {
  const auto place = place_of(name);
  if (place && content().entries[*place].second == value) return;
  Content& content = own();
  if (!place) return content.add(name, value);
  std::string& old = content.entries[*place].second;
  content.bytes = content.bytes - old.size() + value.size();
  old = value;
}

void VariableTable::remove(const std::string& name) {
  if (!place_of(name)) return;
  graph::Variables others;
  for (const auto& entry : entries()) {
    if (entry.first != name) others.push_back(entry);
  }
  *this = VariableTable(others);
}

std::optional<std::size_t> VariableTable::place_of(const std::string& name) const {
  return content().place_of(name);
}

const std::string* VariableTable::find(const std::string& name) const {
  const auto place = place_of(name);
  return place ? &content().entries[*place].second : nullptr;
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
  all.reserve(globals.entries().size() + env.entries().size() + args.entries().size() + lets.entries().size());
  std::array<std::vector<std::size_t>, tables.size()> places;  // of each table's entries among the merged ones
  for (std::size_t i = 0; i < tables.size(); ++i) {
    places[i].reserve(tables[i]->entries().size());
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
