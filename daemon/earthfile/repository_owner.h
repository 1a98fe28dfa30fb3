#pragma once

#include <string>

namespace ingot::earthfile {

// Of "github.com/org/repo" "github.com/org".
std::string owner_of(const std::string& repository);

// Whose recipes are on the way to one of `owner`'s, besides the user's own, if `asked_by` were so far; empty: nobody's.
// More than one are kSeveralOwners, whoever they are.
inline constexpr const char* kSeveralOwners = "several owners";
std::string asked_by_too(const std::string& asked_by, const std::string& owner);

}  // namespace ingot::earthfile
