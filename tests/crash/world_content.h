#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/graph/graph.h"
#include "proto/types.h"

// What everything in a World is made of, by its number.
namespace ingot::test {

// Some bytes, always the same for a name; of all sizes up to some blocks.
std::string content(const std::string& name);
base::Digest key_of(int step);
std::map<std::string, std::string> files_of_step(int step);
proto::ContextManifest manifest_of(int context);
std::string context_digest(int number);
// Several jobs save the same.
std::vector<std::string> artifacts_of(int job);
graph::SaveArtifact save_request(int step);

}  // namespace ingot::test
