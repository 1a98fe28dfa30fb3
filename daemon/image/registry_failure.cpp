#include "daemon/image/registry_failure.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "daemon/base/strings.h"

namespace ingot::image {

namespace {

using std::chrono::milliseconds;

bool has_any(const std::string& words, std::initializer_list<std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return words.find(sign) != std::string::npos; });
}

bool is_refusal(const std::string& words) {
  return has_any(words, {"unauthorized", "authentication required", "invalid username/password", "denied", "Forbidden",
                         "StatusCode: 401", "StatusCode: 403", "status code 401", "status code 403"});
}

bool is_missing(const std::string& words) {
  return has_any(words, {"manifest unknown", "name unknown", "repository name not known", "StatusCode: 404",
                         "status code 404", "Not Found"});
}

bool has_option(const SourceRule* rule, const char* name) {
  return rule != nullptr && rule->options.contains(name);
}

std::string cure_of(const std::string& words, const SourceRule* rule) {
  if (is_refusal(words)) {
    return has_option(rule, "authfile")
               ? "check the login of this registry in " + rule->options.at("authfile") + ", the rule's authfile"
               : "give the rule of `images` for this registry an option authfile: a file of logins as `skopeo login "
                 "--authfile` writes it";
  }
  if (words.find("server gave HTTP response to HTTPS client") != std::string::npos) {
    return "the registry has no TLS: give the rule of `images` for it an option insecure: true";
  }
  if (words.find("x509: ") != std::string::npos) {
    return has_option(rule, "cert_dir") ? "the files *.crt in " + rule->options.at("cert_dir") +
                                              ", the rule's cert_dir, must hold the CA that "
                                              "signed the registry's certificate"
                                        : "give the rule of `images` for this registry an option cert_dir: a directory "
                                          "with the registry's CA as "
                                          "ca.crt";
  }
  if (may_pass(words)) return "check that the registry runs and that this host reaches it";
  return {};
}

// False once canceled.
bool pause(milliseconds time, const sys::CancelToken& cancel) {
  pollfd wait{cancel.fd(), POLLIN, 0};
  const auto end = std::chrono::steady_clock::now() + time;
  while (!cancel.canceled()) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    poll(&wait, 1, static_cast<int>(std::min(left, milliseconds(100)).count()));
  }
  return false;
}

}  // namespace

bool may_pass(const std::string& words) {
  if (is_refusal(words) || is_missing(words)) return false;
  return has_any(words, {"connection refused", "connection reset", "broken pipe", "i/o timeout",
                         "TLS handshake timeout", "Client.Timeout", "EOF", "no route to host", "network is unreachable",
                         "Temporary failure in name resolution", "server misbehaving", "StatusCode: 5", "status code 5",
                         "HTTP status: 5", "toomanyrequests", "StatusCode: 429", "HTTP status: 429"});
}

Error registry_error(const std::string& tried, const std::string& words, const SourceRule* rule) {
  Error error;
  error.kind = ErrorKind::unavailable;
  if (is_refusal(words)) error.kind = ErrorKind::denied;
  if (is_missing(words)) error.kind = ErrorKind::not_found;
  error.message = tried + ": " + words;
  error.hint = cure_of(words, rule);
  return error;
}

Status with_patience(const std::function<Status()>& attempt, const Progress& progress, const sys::CancelToken& cancel) {
  constexpr std::array<milliseconds, 4> kPauses = {milliseconds(500), milliseconds(1000), milliseconds(2000),
                                                   milliseconds(4000)};
  for (const milliseconds time : kPauses) {
    auto done = attempt();
    if (done || done.error().kind != ErrorKind::unavailable || !may_pass(done.error().message)) return done;
    progress(fmt::format("{}; trying again in {}", done.error().message,
                         base::human_duration(std::chrono::duration<double>(time).count())));
    if (!pause(time, cancel)) return base::fail(ErrorKind::canceled, "canceled");
  }
  return attempt();
}

}  // namespace ingot::image
