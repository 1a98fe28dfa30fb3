#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/git/rules.h"
#include "daemon/git/ssh.h"
#include "daemon/sys/process.h"

namespace ingot::git {

// A user's name and password for one host. In memory only: git is told them by its environment, which nobody but root
// and git's own children see.
struct Credentials {
  std::string username;
  std::string password;
};

// Runs of git that read no configuration but ours, run no hook and no helper of anybody's, ask nobody, and speak only
// the protocol that the location is fetched by.
class Program {
 public:
  struct Setting {
    const Location* location = nullptr;  // whom it may speak to; null: nobody
    const Credentials* credentials = nullptr;
    const SshFiles* ssh = nullptr;     // null: it does not speak ssh
    std::filesystem::path repository;  // its .git directory; empty: none
    std::chrono::milliseconds timeout{std::chrono::minutes(60)};
  };
  struct Said {
    sys::ExitStatus status;
    std::string out;
    std::string err;  // the end of it
  };
  // Called with each line that it writes on stderr; false ends it, as too large.
  using Watch = std::function<bool(const std::string& line)>;

  explicit Program(sys::ProcessRunner& processes) : processes_(processes) {}
  // Kind `canceled` when it was, `too_large` when it was given up or prints more than 64 MiB, `unsupported` without
  // git; how else it ended is in the status.
  Result<Said> run(const Setting& setting, const std::vector<std::string>& arguments, const sys::CancelToken& cancel,
                   const Watch& watch = {}) const;

 private:
  sys::ProcessRunner& processes_;
};

}  // namespace ingot::git
