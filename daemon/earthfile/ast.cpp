#include "daemon/earthfile/ast.h"

#include <algorithm>

#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

Place Command::place_of(std::size_t offset) const {
  auto after = std::upper_bound(words.begin(), words.end(), offset,
                                [](std::size_t wanted, const Word& word) { return wanted < word.begin; });
  if (after == words.begin()) return place;
  const Word& word = *(after - 1);
  return word.place.plus(offset - word.begin);
}

Word Command::rest_from(std::size_t index) const {
  if (index >= words.size()) return {"", place_of(arguments.size()), arguments.size()};
  const Word& first = words[index];
  return {arguments.substr(first.begin), first.place, first.begin};
}

bool File::has(std::string_view feature) const {
  const FeatureInfo* info = find_feature(feature);
  if (info != nullptr && info->since_minor > 0 && version.size() == 3 && version[2] - '0' >= info->since_minor) {
    return true;
  }
  return std::find(features.begin(), features.end(), feature) != features.end();
}

}  // namespace ingot::earthfile
