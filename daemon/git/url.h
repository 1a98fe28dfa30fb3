#pragma once

#include <string>

#include "daemon/base/result.h"

namespace ingot::git {

// Where a repository is, as recipes name it.
struct Url {
  std::string protocol;     // "https", "ssh", ...; of "git@host:path" it is "ssh"
  std::string credentials;  // "user:password" of http and https, "user" of ssh; may be empty
  std::string host;         // with its port, if it has one
  std::string path;         // "org/repo.git", without the slash in front
  bool short_ssh = false;   // it was written as "git@host:path"

  // Without credentials of http and https.
  std::string text() const;
  // What rules match and people call it: "host/org/repo".
  std::string name() const;
};

// Refuses what git would take for an option or for a command, and the host's own files.
Result<Url> parse_url(const std::string& text);

// "host/org/repo/directory", as in front of a target; refuses what leads elsewhere.
Status check_path(const std::string& path);

// A branch, a tag or a commit as people write it.
Status check_ref(const std::string& ref);
// All of its digits.
bool is_whole_commit(const std::string& ref);

}  // namespace ingot::git
