#pragma once

#include <string>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::test {

// A repository of the test's making: bare, as hosts have it, with a working tree beside it.
class GitRepository {
 public:
  // `directory`/`name` is where it is fetched from.
  GitRepository(const TempDirectory& directory, const std::string& name);

  void file(const std::string& name, const std::string& text) const;
  // Commits all there is, and gives it to the bare one; returns the commit.
  std::string commit(const std::string& message = "a change") const;
  void tag(const std::string& name, bool annotated = false) const;
  void branch(const std::string& name) const;  // and goes on there
  // In the working tree; what it prints, less the end of the line.
  std::string git(std::vector<std::string> arguments) const;
  std::string bare() const { return bare_; }
  std::string tree() const { return tree_; }

 private:
  std::string bare_;
  std::string tree_;
};

}  // namespace ingot::test
