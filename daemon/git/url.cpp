#include "daemon/git/url.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"

namespace ingot::git {

namespace {

using base::fail;

constexpr const char* kForms = "such as https://host/org/repo.git";

bool is_plain(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
}

std::string shown(const std::string& text) {
  return "\"" + base::printable(base::without_credentials(text)) + "\"";
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_host_name(std::string_view host) {
  return host.find_first_not_of(std::string(kLettersAndDigits) + ".-_") == std::string_view::npos &&
         host.find_first_of(kLettersAndDigits) != std::string_view::npos && host.find("..") == std::string_view::npos &&
         host.front() != '-';
}

bool is_address_in_brackets(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// "name", "name:8443", "[::1]:8443".
bool is_host(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  if (has_port) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.find_first_not_of(kDigits) != std::string_view::npos) return false;
    host = host.substr(0, colon);
  }
  return is_host_name(host) || is_address_in_brackets(host);
}

// The text is not repeated: where this is no host, it may well be a part of a password.
Status check_host(const std::string& host) {
  if (is_host(host)) return {};
  return fail(ErrorKind::invalid, "a URL of a repository names no host, such as \"host\" or \"host:8443\"",
              "https://host/org/repo.git; in a password \"/\" is written %2F, \"@\" %40 and \"#\" %23");
}

// An "@" there is most likely the one behind a password that has a "/" itself, and then what is told of the path tells
// the password.
Status check_has_no_credentials(const Url& url, const std::string& authority) {
  const bool may_be = !url.short_ssh && authority.find_first_of("@:") != std::string::npos;
  if (!may_be || url.path.find('@') == std::string::npos) return {};
  return fail(ErrorKind::invalid, "a URL of a repository has an \"@\" behind its host",
              "in a password \"/\" is written %2F and \"@\" %40; in a path, too");
}

Status check_parts(const std::string& path, const std::string& text) {
  if (path.empty()) return fail(ErrorKind::invalid, shown(text) + " names no repository", kForms);
  for (const auto& part : base::split(path, '/')) {
    const bool leads_away = part.empty() || part == "." || part == ".." || part.front() == '-';
    if (leads_away || !std::all_of(part.begin(), part.end(), is_plain) ||
        part.find_first_of("\"\\") != std::string::npos) {
      return fail(ErrorKind::invalid,
                  shown(text) + " is no repository: \"" + base::printable(part) + "\" cannot be a part of its path");
    }
  }
  return {};
}

}  // namespace

std::string Url::text() const {
  if (short_ssh) return (credentials.empty() ? "" : credentials + "@") + host + ":" + path;
  const bool shows_user = protocol == "ssh" && !credentials.empty();
  return protocol + "://" + (shows_user ? credentials + "@" : "") + host + "/" + path;
}

std::string Url::name() const {
  return host + "/" + (path.ends_with(".git") ? path.substr(0, path.size() - 4) : path);
}

Result<Url> parse_url(const std::string& text) {
  Url url;
  const std::size_t mark = text.find("://");
  std::string rest;
  if (mark != std::string::npos) {
    url.protocol = text.substr(0, mark);
    rest = text.substr(mark + 3);
  } else {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon > text.find('/') || text.substr(0, colon).find('@') == std::string::npos) {
      return fail(ErrorKind::invalid, shown(text) + " is no URL of a repository",
                  "such as https://host/org/repo.git or git@host:org/repo.git");
    }
    url.protocol = "ssh";
    url.short_ssh = true;
    rest = text.substr(0, colon) + "/" + text.substr(colon + 1);
  }
  constexpr std::string_view kProtocols[] = {"https", "http", "ssh", "git"};
  if (std::find(std::begin(kProtocols), std::end(kProtocols), url.protocol) == std::end(kProtocols)) {
    return fail(ErrorKind::denied,
                shown(text) + ": repositories are not fetched by \"" + base::printable(url.protocol) + "\"",
                "by https, http, ssh or git; what lies elsewhere can be named by a rule of `repositories` in the "
                "daemon's configuration");
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::size_t sign = rest.substr(0, slash).rfind('@');
  if (sign != std::string::npos) url.credentials = rest.substr(0, sign);
  url.host = sign == std::string::npos ? rest.substr(0, slash) : rest.substr(sign + 1, slash - sign - 1);
  url.path = slash < rest.size() ? rest.substr(slash + 1) : "";
  while (url.path.ends_with('/')) url.path.pop_back();
  if (url.protocol == "ssh") {
    url.credentials = url.credentials.substr(0, url.credentials.find(':'));
    const bool is_name = std::all_of(url.credentials.begin(), url.credentials.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (!is_name || url.credentials.starts_with('-')) {
      return fail(ErrorKind::invalid, shown(text) + " names no user", kForms);
    }
  }
  INGOT_CHECK(check_host(url.host));
  INGOT_CHECK(check_has_no_credentials(url, rest.substr(0, slash)));
  INGOT_CHECK(check_parts(url.path, text));
  return url;
}

Status check_path(const std::string& path) {
  const std::size_t slash = std::min(path.find('/'), path.size());
  if (!is_host(path.substr(0, slash))) return fail(ErrorKind::invalid, shown(path) + " names no host", kForms);
  return check_parts(slash < path.size() ? path.substr(slash + 1) : "", path);
}

Status check_ref(const std::string& ref) {
  const bool ok = !ref.empty() && ref.front() != '-' && ref.front() != '/' &&
                  std::all_of(ref.begin(), ref.end(), is_plain) && ref.find_first_of("~^:?*[\\") == std::string::npos &&
                  ref.find("..") == std::string::npos && ref.find("@{") == std::string::npos &&
                  ref.find("//") == std::string::npos && ref.back() != '/';
  if (ok) return {};
  return fail(ErrorKind::invalid, "\"" + base::printable(ref) + "\" is no name of a branch, a tag or a commit");
}

bool is_whole_commit(const std::string& ref) {
  return (ref.size() == 40 || ref.size() == 64) && ref.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace ingot::git
