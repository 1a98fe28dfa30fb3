#include "daemon/store/context_selection.h"

#include <algorithm>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/store/copy_target.h"

namespace ingot::store {

using proto::EntryType;
using proto::ManifestEntry;

ContextSelection::ContextSelection(const graph::CopyOp& op, const ContextTree& context)
    : op_(op), context_(context), excluded_(base::IgnoreRules::parse(base::join(op.excluded, "\n"))) {}

bool ContextSelection::excludes(const std::string& path) const {
  if (excluded_.empty() || path.empty() || !excluded_.ignores(path)) return false;
  const ManifestEntry* entry = context_.resolve(path, false);
  return entry == nullptr || entry->type != EntryType::directory || !excluded_.may_bring_back_below(path) ||
         below(*entry).empty();
}

Result<std::vector<ContextSelection::Source>> ContextSelection::sources() const {
  std::vector<Source> sources;
  for (const auto& pattern : op_.sources) {
    const std::size_t before = sources.size();
    bool some_excluded = false;
    for (const auto& path : context_.select(pattern)) {
      const ManifestEntry* entry = context_.resolve(path, !op_.symlink_no_follow);
      if (entry == nullptr) continue;
      if (excludes(path) || excludes(entry->path))
        some_excluded = true;
      else
        sources.push_back({entry, base_name(path)});
    }
    if (sources.size() > before || op_.if_exists) continue;
    if (!some_excluded) return base::fail(context_.missing(pattern));
    return base::fail(ErrorKind::not_found, "\"" + pattern + "\" is left out by the context's .dockerignore",
                      "bring it back there: a line with \"!\" and its path");
  }
  return sources;
}

std::vector<const ManifestEntry*> ContextSelection::below(const ManifestEntry& directory) const {
  auto entries = context_.below(directory);
  if (excluded_.empty()) return entries;
  // From the end on, so that a directory is met after what lies in it.
  std::set<std::string, std::less<>> needed;
  std::vector<const ManifestEntry*> kept;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::string& path = (*entry)->path;
    if (!needed.contains(path) && excluded_.ignores(path)) continue;
    kept.push_back(*entry);
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) needed.insert(path.substr(0, slash));
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace ingot::store
