#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>

#include "proto/error.h"

namespace ingot::proto {

// Values by their ids, as bytes. They travel in a submission's `secrets`, and are in no other request and in no answer.
using Secrets = std::map<std::string, std::string>;

// What they may be together, so that they fit a submission.
inline constexpr std::size_t kLongestSecret = 256U << 10;
inline constexpr std::size_t kMostSecretBytes = 512U << 10;
inline constexpr std::size_t kMostSecrets = 100;
inline constexpr std::size_t kLongestSecretId = 256;

// Kind `invalid` for an id that is empty, too long or not printable, and `too_large` for more than the above.
tl::expected<void, Error> check(const Secrets& secrets);

// An object of base64 texts.
nlohmann::json secrets_to_json(const Secrets& secrets);
// The field `secrets` of a submission; without it there are none. Errors name the id, never a value.
tl::expected<Secrets, Error> secrets_of_submission(const nlohmann::json& body);

}  // namespace ingot::proto
