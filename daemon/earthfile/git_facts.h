#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

// Of a builtin argument's value that git tells, by the argument's name. These two are parts of others:
inline constexpr const char* kProjectFact =
    "EARTHLY_TARGET_PROJECT_NO_TAG";  // "github.com/org/repo", less the target's directory
inline constexpr const char* kTagFact = "EARTHLY_TARGET_TAG";

// The format of `git show` that `details` of a commit are in: times of the commit and of its author, the author's name
// and address, a line each, then the message's body.
inline constexpr const char* kDetailsFormat = "%ct%n%at%n%an%n%ae%n%b";

// What those details tell, by builtin arguments.
std::map<std::string, std::string> facts_of_details(const std::string& details);
// What is known of a repository that was fetched.
std::map<std::string, std::string> git_facts(const Repository& repository, const std::string& details);

// "https://user@host.com/path/to.git" and "git@host.com:path/to.git" as "host.com/path/to".
std::string project_of_url(const std::string& url);
// The same as "path/to".
std::string project_name_of_url(const std::string& url);
// The addresses of those whom the lines "Co-authored-by: Name <address>" of a message name, each once.
std::vector<std::string> co_authors_of(const std::string& message);

}  // namespace ingot::earthfile
