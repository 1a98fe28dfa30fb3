#pragma once

#include "daemon/base/result.h"
#include "daemon/store/contexts.h"
#include "proto/types.h"

namespace ingot::store {

// Refuses a manifest that could reach outside of its directory, contradicts itself or is over the limits. Every refusal
// names the path.
Status check_manifest(const proto::ContextManifest& manifest, const ContextLimits& limits);

// `target` of a symlink that lies at `path`: true when following it, link by name, stays inside of the context.
bool link_stays_inside(const std::string& path, const std::string& target);

}  // namespace ingot::store
