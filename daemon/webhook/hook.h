#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::webhook {

// Who is told when a sweep has ended or a schedule failed, as the configuration says it.
struct Hook {
  std::string match;  // glob over the name of the sweep, or of the schedule; empty: all
  std::string url;
  std::string secret_file;  // what signs; empty: nothing is signed
  std::string ca_file;      // of the host's certificate; empty: the system's
};

// Kind `invalid` for one that cannot work.
Status check_hook(const Hook& hook);

// As messages name it: what a URL has besides its host may be a secret.
std::string host_of(const std::string& url);

// HMAC-SHA-256 in hexadecimal of "TIME.BODY", so that an old message cannot be sent once more as a new one.
Result<std::string> signature(std::string_view secret, std::int64_t time_seconds, std::string_view body);

}  // namespace ingot::webhook
