#include "daemon/base/url_credentials.h"

#include <algorithm>
#include <initializer_list>

#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

bool ends_in_one_of(std::string_view text, std::initializer_list<std::string_view> protocols) {
  return std::any_of(protocols.begin(), protocols.end(), [&](std::string_view name) {
    return text.size() >= name.size() && starts_with_ci(text.substr(text.size() - name.size()), name);
  });
}

// Digits, or a variable in a recipe.
bool is_port(std::string_view text) {
  return text.starts_with('$') || text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Where the host of a URL begins, whose text begins after "://"; 0: nothing stands before it.
std::size_t begin_of_host(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of("/?# \t\n\"'`<>", 0), text.size());
  const std::string_view authority = text.substr(0, end);
  if (const std::size_t sign = authority.rfind('@'); sign != std::string_view::npos) return sign + 1;
  // A password whose "/" or "#" was to be percent-encoded: what stands behind the colon is no port.
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos || is_port(authority.substr(colon + 1))) return 0;
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n\"'`<>"));
  const std::size_t sign = word.rfind('@');
  return sign == std::string_view::npos ? 0 : sign + 1;
}

}  // namespace

std::string without_credentials(std::string_view text) {
  constexpr std::string_view kMark = "://";
  std::string shown;
  std::size_t at = 0;
  while (true) {
    const std::size_t mark = text.find(kMark, at);
    if (mark == std::string_view::npos) return shown + std::string(text.substr(at));
    const std::size_t begin = mark + kMark.size();
    shown += text.substr(at, begin - at);
    at = begin;
    const std::size_t host = begin_of_host(text.substr(begin));
    if (host == 0) continue;
    at = begin + host;
    if (ends_in_one_of(text.substr(0, mark), {"http", "https", "ftp"})) continue;
    // Elsewhere the user's name says how the host is reached, and only a password is nobody's business.
    const std::string_view user = text.substr(begin, host - 1);
    shown += std::string(user.substr(0, user.find(':'))) + "@";
  }
}

Error without_credentials(Error error) {
  error.message = without_credentials(error.message);
  error.hint = without_credentials(error.hint);
  for (auto& line : error.context) line = without_credentials(line);
  if (error.position) {
    const std::string& line = error.position->source_line;
    const std::string shown = without_credentials(line);
    // The caret would stand below something else.
    if (shown != line) error.position->column = 0;
    error.position->source_line = shown;
  }
  return error;
}

}  // namespace ingot::base
