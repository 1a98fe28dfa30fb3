#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/git/url.h"

namespace ingot::git {

// One row of the configuration's `repositories`: the first whose `match` fits a repository's name is used.
struct Rule {
  std::string match;              // glob over "host/org/repo"; as many parts as it has are the repository's name
  std::string url;                // where it is, in place of what recipes say; with {host} and {path}
  std::string ca_file;            // of the host's certificate
  bool pass_credentials = false;  // the user's go to the host of `url` too
};

// Everything with a host and two parts, by https.
std::vector<Rule> default_rules();

// Kind `invalid` for a rule that cannot work.
Status check_rule(const Rule& rule);

// Where a repository is.
struct Location {
  std::string name;       // "github.com/org/repo"
  std::string directory;  // behind it, in the repository; "" for its own
  Url named;              // as recipes name it
  std::string fetched;    // where it is fetched from, in git's own words
  std::string ca_file;
  bool takes_credentials = false;  // of the user, for the host that recipes name
  bool by_rule = false;            // the configuration says where it is fetched from
};

// By which it is fetched: "https", "ssh", ...
std::string protocol_of(const Location& location);

// `reference` is a URL, of which one for ssh is fetched by https where nobody lends an SSH agent, or
// "host/org/repo[/directory]".
Result<Location> locate(const std::vector<Rule>& rules, const std::string& reference, bool has_agent = false);

}  // namespace ingot::git
