#include "daemon/git/failure.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"
#include "daemon/git/ssh.h"

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
    // What ssh says stands above it.
    constexpr std::string_view kEmptyWords[] = {"Could not read from remote repository.",
                                                "Please make sure you have the correct access rights",
                                                "and the repository exists."};
    if (text.empty() || std::find(std::begin(kEmptyWords), std::end(kEmptyWords), text) != std::end(kEmptyWords)) {
      continue;
    }
    last = text;
    if (line.starts_with("fatal: ")) break;
  }
  constexpr std::size_t kLongest = 400;
  std::string shown = base::printable(base::without_credentials(last));
  if (shown.size() > kLongest) shown.resize(base::valid_utf8_prefix(std::string_view(shown).substr(0, kLongest)));
  return shown.empty() ? "git does not say why" : shown;
}

// ssh goes to no host whose key nobody has told it.
Error unknown_host_key(const std::string& what, const Location& location, const std::string& words) {
  const std::string name = known_hosts_name(location.fetched);
  const std::string host = base::printable(name);
  if (has_any(words, {"HAS CHANGED"})) {
    return {ErrorKind::denied,
            what + ": " + host + " shows another key than it had: it may be another host that answers",
            "if its owner says that the key is a new one: ssh-keygen -R '" + host +
                "', and take the new one into ~/.ssh/known_hosts",
            {},
            {}};
  }
  const std::size_t colon = name.starts_with('[') ? name.rfind(':') : std::string::npos;
  const std::string port = colon == std::string::npos ? "" : "-p " + base::printable(name.substr(colon + 1)) + " ";
  const std::string bare = colon == std::string::npos ? host : base::printable(name.substr(1, colon - 2));
  return {ErrorKind::denied,
          what + ": nobody has said by which key to know " + host,
          "as who builds: ssh-keyscan " + port + bare +
              " >> ~/.ssh/known_hosts (and hold it against what the host's "
              "owner tells); for all users of the daemon its host's /etc/ssh/ssh_known_hosts has such lines",
          {},
          {}};
}

std::string cure_of_refusal(const Location& location, bool had_credentials) {
  const std::string host = base::printable(location.named.host);
  if (protocol_of(location) == "ssh") {
    return "`ssh-add -l` lists the keys of your SSH agent: " + base::printable(known_hosts_name(location.fetched)) +
           " must know one of them";
  }
  if (!location.takes_credentials) {
    return "the rule of `repositories` for " + base::printable(location.name) +
           " in the daemon's configuration does not pass the user's credentials on: pass_credentials: true lets it";
  }
  if (had_credentials) {
    return "the credentials that were given for " + host +
           " are not taken: check what `git credential fill` gives for it";
  }
  const std::string by_ssh = location.named.protocol == "ssh"
                                 ? "it is asked by https, since the client has no SSH agent with keys: start one with "
                                   "`eval $(ssh-agent)` and `ssh-add`; or "
                                 : "if it is there and private: ";
  return by_ssh + "let your git know the credentials for https://" + host +
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
  if (has_any(words, {"cannot run ssh"})) {
    return {ErrorKind::unsupported,
            "this host has no program ssh",
            "install the package openssh-client on the daemon's host",
            {},
            {}};
  }
  if (has_any(words, {"Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"}))
    return unknown_host_key(what + where, location, words);
  if (has_any(words, {"dubious ownership"})) {
    return {ErrorKind::denied,
            reason,
            "the daemon fetches as root, and git takes a directory of root only: chown it",
            {},
            {}};
  }
  if (has_any(words, {"could not read Username", "could not read Password", "Authentication failed",
                      "returned error: 401", "returned error: 403", "terminal prompts disabled",
                      "Permission denied (publickey", "Too many authentication failures"})) {
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
