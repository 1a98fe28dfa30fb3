#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proto/error.h"

namespace ingot::proto {

// Values by their ids, as bytes. They travel in a submission's `secrets`, and are in no other request and in no answer.
using Secrets = std::map<std::string, std::string>;

// What they may be together, so that they fit a submission.
inline constexpr std::size_t kLongestSecret = 256U << 10;
inline constexpr std::size_t kMostSecretBytes = 512U << 10;
inline constexpr std::size_t kMostSecrets = 100;
inline constexpr std::size_t kLongestSecretId = 256;

// Ids that begin so, and end with a host's name, are what the user's own git knows for https there: lines as `git
// credential fill` prints them. They are for git alone; no step is given them.
inline constexpr const char* kGitCredentials = "ingot.git-credentials.";
bool is_git_credentials(const std::string& id);
struct GitCredentials {
  std::string username;
  std::string password;
};
GitCredentials git_credentials_of(const std::string& lines);
// Of all that is secret what logs must not show: each value, and of credentials the password.
std::vector<std::string> values_to_hide(const Secrets& secrets);
// What steps may ask for.
Secrets secrets_for_steps(const Secrets& secrets);

// Kind `invalid` for an id that is empty, too long or not printable, and `too_large` for more than the above.
tl::expected<void, Error> check(const Secrets& secrets);

// An object of base64 texts.
nlohmann::json secrets_to_json(const Secrets& secrets);
// The field `secrets` of a submission; without it there are none. Errors name the id, never a value.
tl::expected<Secrets, Error> secrets_of_submission(const nlohmann::json& body);

}  // namespace ingot::proto
