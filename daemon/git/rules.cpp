#include "daemon/git/rules.h"

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"

namespace ingot::git {

namespace {

using base::fail;

std::size_t parts_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
}

// The first parts of a path, as many as there shall be; all of it when it has no more.
std::string first_parts(const std::string& path, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0 && at != std::string::npos; --count) at = path.find('/', at + (at == 0 ? 0 : 1));
  return path.substr(0, at);
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

const Rule* rule_for(const std::vector<Rule>& rules, const std::string& name, bool whole) {
  auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
    const std::size_t parts = parts_of(rule.match);
    if (parts_of(name) < parts || (whole && parts_of(name) != parts)) return false;
    return base::glob_match(rule.match, first_parts(name, parts));
  });
  return found == rules.end() ? nullptr : &*found;
}

void apply(const Rule& rule, Location& location) {
  location.ca_file = rule.ca_file;
  if (rule.url.empty()) return;
  std::string url = rule.url;
  replace_all(url, "{host}", location.named.host);
  replace_all(url, "{path}", location.name.substr(location.name.find('/') + 1));
  location.takes_credentials = rule.pass_credentials || url.starts_with("https://" + location.named.host + "/");
  location.fetched = std::move(url);
  location.by_rule = true;
}

// Who writes git@host:org/repo.git has a key, and the daemon has none; the same repository is there by https.
void by_https(Location& location) {
  const std::string& host = location.named.host;
  location.fetched = "https://" + host.substr(0, host.find(':')) + "/" + location.named.path;
  location.takes_credentials = true;
}

}  // namespace

std::vector<Rule> default_rules() {
  return {{"*/*/*", "", "", false}};
}

Status check_rule(const Rule& rule) {
  if (parts_of(rule.match) < 2) {
    return fail(ErrorKind::invalid, "`match` must be as long as a repository's name",
                "such as \"github.com/*/*\": a host, an organisation, a repository");
  }
  if (rule.url.empty()) return {};
  const std::string protocol = rule.url.substr(0, rule.url.find("://"));
  constexpr std::string_view kKnown[] = {"https", "http", "ssh", "git", "file"};
  if (protocol.size() == rule.url.size() ||
      std::find(std::begin(kKnown), std::end(kKnown), protocol) == std::end(kKnown)) {
    return fail(ErrorKind::invalid,
                "\"" + base::printable(rule.url) + "\" is no URL that repositories are fetched from",
                "such as https://mirror.example/{path}.git; https, http, ssh, git and file are known");
  }
  return {};
}

std::string protocol_of(const Location& location) {
  const std::size_t mark = location.fetched.find("://");
  return mark == std::string::npos ? "ssh" : location.fetched.substr(0, mark);
}

Result<Location> locate(const std::vector<Rule>& rules, const std::string& reference, bool has_agent) {
  Location location;
  const bool is_url = reference.find("://") != std::string::npos || reference.find(':') != std::string::npos;
  if (is_url) {
    INGOT_TRY(location.named, parse_url(reference));
    location.name = location.named.name();
    location.fetched = location.named.text();
    location.takes_credentials = location.named.protocol == "https";
    if (location.named.protocol == "ssh" && !has_agent) by_https(location);
    if (const Rule* rule = rule_for(rules, location.name, true)) apply(*rule, location);
    return location;
  }
  INGOT_CHECK(check_path(reference));
  const Rule* rule = rule_for(rules, reference, false);
  if (rule == nullptr) {
    return fail(ErrorKind::not_found, "\"" + base::printable(reference) + "\" is no repository",
                "a reference to another repository begins with host/organisation/repository; for hosts with other "
                "names the daemon's configuration has `repositories`");
  }
  location.name = first_parts(reference, parts_of(rule->match));
  if (location.name.size() < reference.size()) location.directory = reference.substr(location.name.size() + 1);
  if (location.name.ends_with(".git")) location.name.resize(location.name.size() - 4);
  INGOT_TRY(location.named, parse_url("https://" + location.name + ".git"));
  location.fetched = location.named.text();
  location.takes_credentials = true;
  apply(*rule, location);
  return location;
}

}  // namespace ingot::git
