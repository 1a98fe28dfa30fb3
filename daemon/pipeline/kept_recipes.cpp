#include "daemon/pipeline/kept_recipes.h"

#include <algorithm>
#include <map>
#include <string>

namespace ingot::pipeline {

namespace {

std::size_t weight(const std::map<std::string, std::string>& values) {
  std::size_t all = 0;
  for (const auto& [name, value] : values) all += 2 * sizeof(std::string) + name.size() + value.size();
  return all;
}

std::size_t weight(const KeptRecipes::Kept& kept) {
  std::size_t all = sizeof(kept) + earthfile::weight(kept.plan->graph) + weight(kept.key.request.overrides) +
                    weight(kept.key.request.builtins);
  for (const auto& warning : kept.plan->warnings) all += sizeof(std::string) + warning.size();
  for (const auto& question : kept.questions) all += earthfile::weight(question);
  return all;
}

}  // namespace

std::shared_ptr<const KeptRecipes::Kept> KeptRecipes::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.kept->key == key; });
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return found->kept;
}

void KeptRecipes::keep(Kept kept) {
  const std::size_t bytes = weight(kept);
  const auto shared = std::make_shared<const Kept>(std::move(kept));
  const std::lock_guard lock(mutex_);
  const auto earlier = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.kept->key == shared->key; });
  if (earlier != entries_.end()) remove(earlier);
  if (bytes > most_bytes_) return;
  entries_.push_front({shared, bytes});
  bytes_ += bytes;
  while (bytes_ > most_bytes_) remove(std::prev(entries_.end()));
}

void KeptRecipes::remove(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  entries_.erase(entry);
}

}  // namespace ingot::pipeline
