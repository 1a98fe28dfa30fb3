#pragma once

#include <string>
#include <vector>

#include "daemon/base/ignore.h"
#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/context_tree.h"

namespace ingot::store {

// What a COPY takes of the context, less what it excludes. Both must outlive it.
class ContextSelection {
 public:
  ContextSelection(const graph::CopyOp& op, const ContextTree& context);

  struct Source {
    const proto::ManifestEntry* entry;  // behind the symlinks that are followed
    std::string name;                   // as the COPY has it; "" for the whole context
  };
  // Fails where one is missing that need not be.
  Result<std::vector<Source>> sources() const;
  // Everything below a directory, parents first; a directory that is excluded stays for what it has that is not.
  std::vector<const proto::ManifestEntry*> below(const proto::ManifestEntry& directory) const;

 private:
  bool excludes(const std::string& path) const;

  const graph::CopyOp& op_;
  const ContextTree& context_;
  const base::IgnoreRules excluded_;
};

}  // namespace ingot::store
