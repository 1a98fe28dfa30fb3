#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/git/program.h"
#include "daemon/git/rules.h"
#include "daemon/graph/graph.h"

namespace ingot::git {

// What a name meant when it was looked at.
struct Revision {
  std::string commit;
  std::string branch;    // by which it was asked for, or the default one
  std::string tag;       // by which it was asked for
  std::string full_ref;  // "refs/heads/main"; empty for a commit
};

// How large a repository's files may be.
struct Limits {
  std::uint64_t entries = 200'000;
  std::uint64_t file_bytes = 16ULL << 30;
  std::uint64_t total_bytes = 64ULL << 30;
};

// The name of the file in a checkout's .git directory that has what `details_format` asks of the commit.
inline constexpr const char* kDetailsFile = ".git/ingot-commit";

// What git shows to the host of a repository.
struct Access {
  const Credentials* credentials = nullptr;  // of http and https
  std::optional<SshFiles> ssh = {};
};

// What a job has of that.
struct Means {
  // Whether the user's agent is for this one: what is named by ssh is fetched by ssh then.
  std::function<bool(const Location& location)> has_agent_for = [](const Location&) { return false; };
  std::function<Result<Access>(const Location& location)> access_to = [](const Location&) { return Access{}; };
};

// Other people's repositories: what their names mean, and their files. Thread-safe.
class Repositories {
 public:
  Repositories(std::vector<Rule> rules, Limits limits, sys::ProcessRunner& processes)
      : rules_(std::move(rules)), limits_(limits), program_(processes) {}

  void set_rules(std::vector<Rule> rules);
  Result<Location> locate(const std::string& reference, bool has_agent = false) const;
  // Asks the host, but not for a commit that is written in full. An empty ref is the default branch.
  Result<Revision> look(const Location& location, const std::string& ref, const Means& means,
                        const sys::CancelToken& cancel) const;

  // Puts the files of the commit into `directory`, which is empty, with its submodules and a .git directory of this one
  // commit. Whoever does it at another time gets the same. Errors have no position.
  Status check_out(const graph::GitOp& op, const std::filesystem::path& directory, const Means& means,
                   const sys::CancelToken& cancel) const;

 private:
  mutable std::mutex mutex_;  // guards the next
  std::vector<Rule> rules_;
  const Limits limits_;
  const Program program_;
};

}  // namespace ingot::git
