#include "daemon/git/failure.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"

namespace ingot::git {

namespace {

bool has_any(const std::string& words, std::initializer_list<std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return words.find(sign) != std::string::npos; });
}

// The line of git's that says why, without what it puts in front.
std::string reason_in(const std::string& words) {
  std::string last;
  for (const auto& line : base::split(words, '\n')) {
    std::string text(base::trim(line));
    const std::size_t progress = text.rfind('\r');
    if (progress != std::string::npos) text = text.substr(progress + 1);
    for (const char* front : {"fatal: ", "remote: ", "error: "}) {
      if (text.starts_with(front)) text = text.substr(std::string_view(front).size());
    }
    if (text.empty()) continue;
    last = text;
    if (line.starts_with("fatal: ")) break;
  }
  constexpr std::size_t kLongest = 400;
  std::string shown = base::printable(base::without_credentials(last));
  if (shown.size() > kLongest) shown.resize(base::valid_utf8_prefix(std::string_view(shown).substr(0, kLongest)));
  return shown.empty() ? "git does not say why" : shown;
}

std::string cure_of_refusal(const Location& location, bool had_credentials) {
  const std::string host = base::printable(location.named.host);
  if (!location.takes_credentials) {
    return "the rule of `repositories` for " + base::printable(location.name) +
           " in the daemon's configuration does not pass the user's credentials on: pass_credentials: true lets it";
  }
  if (had_credentials) {
    return "the credentials that were given for " + host +
           " are not taken: check what `git credential fill` gives for it";
  }
  return "if it is there and private: let your git know the credentials for https://" + host +
         " (a credential helper, as `git config credential.helper` names it; the client asks it), and name the host in "
         "the Earthfile without variables";
}

}  // namespace

Error failure(const std::string& doing, const Location& location, const std::string& words, bool had_credentials) {
  Error error;
  const std::string what = doing + " the repository " + base::printable(location.name);
  const std::string from = base::without_credentials(location.fetched);
  const std::string where = from == location.named.text() ? "" : " (from " + base::printable(from) + ")";
  const std::string reason = what + where + ": " + reason_in(words);
  if (has_any(words, {"dubious ownership"})) {
    return {ErrorKind::denied,
            reason,
            "the daemon fetches as root, and git takes a directory of root only: chown it",
            {},
            {}};
  }
  if (has_any(words,
              {"could not read Username", "could not read Password", "Authentication failed", "returned error: 401",
               "returned error: 403", "terminal prompts disabled", "Permission denied (publickey"})) {
    return {ErrorKind::denied,
            what + where + ": its host wants to know who asks",
            cure_of_refusal(location, had_credentials),
            {},
            {}};
  }
  if (has_any(words, {"not found", "does not exist", "does not appear to be a git repository", "not a git repository",
                      "Repository not found", "returned error: 404", "returned error: 410"})) {
    return {ErrorKind::not_found,
            what + where + ": there is none",
            "check the name; of a private repository some hosts say the same: " +
                cure_of_refusal(location, had_credentials),
            {},
            {}};
  }
  if (has_any(words, {"Could not resolve host", "Name or service not known", "Temporary failure in name resolution"})) {
    return {ErrorKind::unavailable, reason, "check the host's name, and that this host has a name server", {}, {}};
  }
  if (has_any(words, {"Connection refused", "Failed to connect", "Couldn't connect", "Connection timed out",
                      "Operation timed out", "No route to host", "Network is unreachable", "early EOF",
                      "unexpected disconnect", "Operation too slow", "Empty reply from server", "Connection reset"})) {
    return {ErrorKind::unavailable,
            reason,
            "check that the host answers; a mirror of it can be named by a rule of `repositories` in the daemon's "
            "configuration",
            {},
            {}};
  }
  if (has_any(words, {"certificate", "SSL"})) {
    return {ErrorKind::unavailable,
            reason,
            "a rule of `repositories` in the daemon's configuration may name the CA of the host by ca_file",
            {},
            {}};
  }
  if (has_any(words, {"No space left on device"}))
    return {ErrorKind::no_space, reason, "make room on the disk", {}, {}};
  return {ErrorKind::unavailable, reason, "", {}, {}};
}

}  // namespace ingot::git
