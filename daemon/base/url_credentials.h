#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::base {

// The text with what stands before the "@" of each http, https or ftp URL in it taken out: a user's name there is often
// a token. Of other URLs the password goes: "ssh://git@host" and "git@host:" stay.
std::string without_credentials(std::string_view text);
// An error with all of its texts treated so.
Error without_credentials(Error error);

}  // namespace ingot::base
