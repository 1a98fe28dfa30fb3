#include "client/commands/artifact_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::client {

using base::fail;

Result<std::vector<proto::Artifact>> select_artifacts(const std::vector<proto::Artifact>& all,
                                                      const std::vector<std::string>& wanted, const std::string& job) {
  if (wanted.empty()) return all;
  std::vector<proto::Artifact> selected;
  for (const auto& word : wanted) {
    auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& row) { return row.id == word || row.name == word; });
    if (found != all.end()) {
      selected.push_back(*found);
      continue;
    }
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const auto& row : all) names.push_back(row.name);
    std::string hint = base::did_you_mean(word, names);
    if (hint.empty() && !names.empty()) hint = "it has: " + base::join(names, ", ");
    return fail(ErrorKind::not_found, fmt::format("job {} has no artifact \"{}\"", job, base::printable(word)), hint);
  }
  return selected;
}

}  // namespace ingot::client
