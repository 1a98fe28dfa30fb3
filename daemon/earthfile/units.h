#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

// Another repository's files at a commit, as a step of the graph.
struct Checkout {
  Repository repository;
  graph::StepId files = 0;

  // "github.com/org/repo:v1", with a directory in it "github.com/org/repo/directory:v1".
  std::string reference(const std::string& directory) const {
    return repository.name + (directory.empty() ? "" : "/" + directory) +
           (repository.ref.empty() ? "" : ":" + repository.ref);
  }
};

// An Earthfile, and the directory of the project or of another repository that it is in.
struct Unit {
  std::string directory;  // "" for the project's own, else "a/b"
  File file;
  const Checkout* checkout = nullptr;  // null: of the project

  // As people refer to it: "+name", "./a/b+name" or "github.com/org/repo/a/b:v1+name".
  std::string full_name(const std::string& name) const {
    if (checkout != nullptr) return checkout->reference(directory) + "+" + name;
    return (directory.empty() ? "+" : "./" + directory + "+") + name;
  }
};

// The Earthfiles of a build, each read once, when the first refers to it.
class Units {
 public:
  explicit Units(const File& first);

  const Unit& first() const { return *units_.at({nullptr, ""}); }
  // Reads a file of the project or of the checkout; kind `not_found` when it is not there.
  using Read = std::function<Result<std::string>(const std::string& path)>;
  // All errors of the file's syntax in one, if it has any. `from`: who refers to it.
  Result<const Unit*> in(const Checkout* checkout, const std::string& directory, const Place& from, const Read& read);

 private:
  std::map<std::pair<const Checkout*, std::string>, std::unique_ptr<const Unit>> units_;
};

}  // namespace ingot::earthfile
