#pragma once

#include <functional>
#include <string>

#include "daemon/image/images.h"

// What a registry's refusals mean, and patience with those that may pass.
namespace ingot::image {

// From what skopeo said of a registry to an error of the kind that it is, with what to do about it. `rule` is the one
// of the configuration for this name; `tried` begins the message: "skopeo copy docker://... ended with status 1".
Error registry_error(const std::string& tried, const std::string& words, const SourceRule* rule);

// Whether the same may go well a little later: nobody answered, or the registry itself had a fault. A wrong login, or a
// name that is not there, stays as it is.
bool may_pass(const std::string& words);

// Runs `attempt` until it goes well, or fails in a way that stays, or has failed too often; longer and longer pauses in
// between, told by `progress`.
Status with_patience(const std::function<Status()>& attempt, const Progress& progress, const sys::CancelToken& cancel);

}  // namespace ingot::image
