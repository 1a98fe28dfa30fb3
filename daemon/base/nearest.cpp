#include <algorithm>
#include <cctype>
#include <numeric>

#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

// Optimal string alignment: insert, delete, replace, and swap of neighbours (the commonest slip) cost 1 each;
// case costs nothing, since a wrong case is what is most surely meant.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); };
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates, std::size_t most) {
  constexpr std::size_t kLongestWord = 200;  // the distance is quadratic, and nobody means so long a name
  // Of a single letter nothing is left that could be near to another.
  if (word.size() < 2 || word.size() > kLongestWord) return {};
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : candidates) {
    if (candidate.size() > word.size() + allowed || candidate.size() + allowed < word.size()) continue;
    std::size_t distance = edit_distance(word, candidate);
    if (distance <= allowed) ranked.emplace_back(distance, candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, name] : ranked) {
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (!known && names.size() < most) names.push_back(name);
  }
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::string text;
  for (const auto& name : nearest(word, candidates)) {
    text += text.empty() ? "did you mean \"" : " or \"";
    text += name + "\"";
  }
  return text.empty() ? text : text + "?";
}

}  // namespace ingot::base
