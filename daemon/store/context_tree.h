#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::store {

// A manifest as the directory tree that it describes, with the directories that are only implied by what lies in them.
// The manifest must outlive it.
class ContextTree {
 public:
  explicit ContextTree(const proto::ContextManifest& manifest);

  // What `path` leads to, by way of symlinks; null when that is not there. The last link is followed on demand. ""
  // is the whole context.
  const proto::ManifestEntry* resolve(const std::string& path, bool follow_last) const;
  // The paths that a COPY source names: itself, or what matches it as a pattern.
  std::vector<std::string> select(const std::string& source) const;
  // Everything below a directory, parents first.
  std::vector<const proto::ManifestEntry*> below(const proto::ManifestEntry& directory) const;

  // For a source that is not there: what may have been meant, and why it may be missing.
  Error missing(const std::string& source) const;

 private:
  const proto::ManifestEntry* find(std::string_view path) const;
  std::vector<std::string> children(const std::string& directory) const;
  std::string nearest(const std::string& path) const;
  bool leads_back(std::string path) const;

  std::deque<proto::ManifestEntry> implied_;
  std::map<std::string_view, const proto::ManifestEntry*> entries_;
};

}  // namespace ingot::store
