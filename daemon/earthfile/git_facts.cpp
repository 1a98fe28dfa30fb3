#include "daemon/earthfile/git_facts.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"

namespace ingot::earthfile {

std::string project_of_url(const std::string& url) {
  std::string rest = url;
  const std::size_t mark = rest.find("://");
  const bool has_protocol = mark != std::string::npos;
  if (has_protocol) rest = rest.substr(mark + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::size_t sign = rest.substr(0, slash).rfind('@');
  if (sign != std::string::npos) rest = rest.substr(sign + 1);
  const std::size_t colon = rest.find(':');
  if (!has_protocol && colon != std::string::npos) rest[colon] = '/';
  return rest.ends_with(".git") ? rest.substr(0, rest.size() - 4) : rest;
}

std::string project_name_of_url(const std::string& url) {
  const std::string project = project_of_url(url);
  const std::size_t slash = project.find('/');
  return slash == std::string::npos ? project : project.substr(slash + 1);
}

std::vector<std::string> co_authors_of(const std::string& message) {
  constexpr std::string_view kFront = "Co-authored-by: ";
  std::vector<std::string> found;
  for (const auto& text : base::split(message, '\n')) {
    const std::string line(base::trim(text));
    const std::size_t open = line.rfind('<');
    if (!line.starts_with(kFront) || open == std::string::npos || !line.ends_with('>')) continue;
    std::string address = line.substr(open + 1, line.size() - open - 2);
    if (address.empty() || address.find(' ') != std::string::npos) continue;
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(std::move(address));
  }
  return found;
}

std::map<std::string, std::string> facts_of_details(const std::string& details) {
  std::map<std::string, std::string> facts;
  std::size_t at = 0;
  for (const char* name : {"COMMIT_TIMESTAMP", "COMMIT_AUTHOR_TIMESTAMP", "AUTHOR_NAME", "AUTHOR_EMAIL"}) {
    const std::size_t end = std::min(details.find('\n', at), details.size());
    facts[std::string("EARTHLY_GIT_") + name] = details.substr(at, end - at);
    at = std::min(end + 1, details.size());
  }
  facts["EARTHLY_GIT_CO_AUTHORS"] = base::join(co_authors_of(details.substr(at)), " ");
  return facts;
}

std::map<std::string, std::string> git_facts(const Repository& repository, const std::string& details) {
  constexpr std::size_t kShort = 8;
  auto facts = facts_of_details(details);
  facts["EARTHLY_GIT_HASH"] = repository.commit;
  facts["EARTHLY_GIT_SHORT_HASH"] = repository.commit.substr(0, kShort);
  facts["EARTHLY_GIT_BRANCH"] = repository.branch;
  facts["EARTHLY_GIT_TAG"] = repository.tag;
  facts["EARTHLY_GIT_REFS"] = repository.branch.empty() ? repository.tag : repository.branch;
  facts["EARTHLY_GIT_ORIGIN_URL"] = repository.url;
  facts["EARTHLY_GIT_ORIGIN_URL_SCRUBBED"] = base::without_credentials(repository.url);
  facts["EARTHLY_GIT_PROJECT_NAME"] = project_name_of_url(repository.url);
  return facts;
}

}  // namespace ingot::earthfile
