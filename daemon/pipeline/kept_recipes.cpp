#include "daemon/pipeline/kept_recipes.h"

#include <algorithm>
#include <type_traits>

namespace ingot::pipeline {

namespace {

template <typename Question>
concept AsksSteps = requires(const Question& question) {
  question.graph.steps;
};

std::size_t steps_of(const KeptRecipes::Kept& kept) {
  std::size_t steps = 1 + kept.plan->graph.steps.size();
  for (const auto& question : kept.questions) {
    steps += std::visit(
        [](const auto& one) -> std::size_t {
          if constexpr (AsksSteps<std::decay_t<decltype(one)>>) return one.graph.steps.size();
          return 0;
        },
        question);
  }
  return steps;
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
  const std::size_t steps = steps_of(kept);
  const auto shared = std::make_shared<const Kept>(std::move(kept));
  const std::lock_guard lock(mutex_);
  const auto earlier = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.kept->key == shared->key; });
  if (earlier != entries_.end()) remove(earlier);
  if (steps > most_steps_) return;
  entries_.push_front({shared, steps});
  steps_ += steps;
  while (steps_ > most_steps_) remove(std::prev(entries_.end()));
}

void KeptRecipes::remove(std::list<Entry>::iterator entry) {
  steps_ -= entry->steps;
  entries_.erase(entry);
}

}  // namespace ingot::pipeline
