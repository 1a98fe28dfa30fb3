#pragma once

#include "daemon/git/repositories.h"

namespace ingot::git {

// One repository's files at a commit on their way into a directory, with those of its submodules.
class Checkout {
 public:
  using Locate = std::function<Result<Location>(const std::string& url)>;
  Checkout(const Program& program, const Limits& limits, Locate locate, const Means& means,
           const sys::CancelToken& cancel)
      : program_(program), limits_(limits), locate_(std::move(locate)), means_(means), cancel_(cancel) {}

  Status make(const graph::GitOp& op, const std::filesystem::path& directory);

 private:
  struct Submodule {
    std::string path;
    std::string commit;
  };
  // A repository in the making: its .git directory, and where its files go.
  struct Place {
    const Location& location;
    std::filesystem::path git;
    std::filesystem::path tree;
  };
  Result<Program::Said> run(const Place& place, const Access& access, const std::vector<std::string>& arguments) const;
  Result<std::string> ask(const Place& place, const std::vector<std::string>& arguments) const;
  Status put_files(const Place& place, const graph::GitOp& op, unsigned depth);
  Status fetch(const Place& place, const graph::GitOp& op) const;
  Result<bool> has(const Place& place, const std::string& commit) const;
  Result<std::vector<Submodule>> list(const Place& place, const std::string& commit);
  Status put_submodules(const Place& place, const graph::GitOp& op, const std::vector<Submodule>& submodules,
                        unsigned depth);
  Status write_git_directory(const Place& place, const graph::GitOp& op) const;
  Status make_reproducible(const std::filesystem::path& directory, const std::string& time) const;

  const Program& program_;
  const Limits& limits_;
  const Locate locate_;
  const Means& means_;
  const sys::CancelToken& cancel_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace ingot::git
