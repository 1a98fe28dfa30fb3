#include "daemon/store/artifact_source.h"

#include <fcntl.h>

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/sys/directory_names.h"

namespace ingot::store {

namespace {

Result<std::vector<std::string>> names_in(const sys::RootedDir& root, const std::string& directory) {
  INGOT_TRY(auto fd, root.open_path(directory, O_RDONLY | O_DIRECTORY));
  return sys::names_in(fd.get(), directory);
}

std::string or_root(const std::string& path) {
  return path.empty() ? "/" : path;
}

// Appends the existing paths that match `parts` from `index` on, part by part.
void expand(const sys::RootedDir& root, const std::string& so_far, const std::vector<std::string>& parts,
            std::size_t index, std::vector<std::string>& found) {
  if (index == parts.size()) {
    if (root.status(or_root(so_far), false)) found.push_back(or_root(so_far));
    return;
  }
  const std::string& part = parts[index];
  if (part.empty() || part == ".") return expand(root, so_far, parts, index + 1, found);
  if (!base::has_glob(part)) return expand(root, so_far + "/" + part, parts, index + 1, found);
  auto names = names_in(root, or_root(so_far));
  if (!names) return;
  for (const auto& name : *names) {
    if (base::glob_match(part, name)) expand(root, so_far + "/" + name, parts, index + 1, found);
  }
}

}  // namespace

std::vector<std::string> matching_paths(const sys::RootedDir& root, const std::string& pattern) {
  std::vector<std::string> found;
  expand(root, "", base::split(pattern, '/'), 0, found);
  return found;
}

Error missing_source(const std::string& command, const std::string& source, const sys::RootedDir& root) {
  constexpr std::size_t kMostNames = 8;
  Error error;
  error.kind = ErrorKind::not_found;
  error.message = command + ": \"" + source + "\" is not in the target's file system";
  error.hint = "a RUN before it must make it; " + command + " --if-exists lets it be missing";
  std::string directory;
  for (const auto& part : base::split(source, '/')) {
    if (part.empty() || part == ".") continue;
    const bool is_pattern = base::has_glob(part);
    auto status = is_pattern ? Result<struct stat>(base::fail(ErrorKind::not_found, ""))
                             : root.status(directory + "/" + part, true);
    if (status && S_ISDIR(status->st_mode)) {
      directory += "/" + part;
      continue;
    }
    auto names = names_in(root, or_root(directory));
    if (!names) break;
    if (names->empty()) {
      error.hint = or_root(directory) + " is empty";
    } else if (auto near = base::did_you_mean(part, *names); !near.empty() && !is_pattern) {
      error.hint = near;
    } else {
      const bool more = names->size() > kMostNames;
      names->resize(std::min(names->size(), kMostNames));
      error.hint = or_root(directory) + " has: " + base::join(*names, ", ") + (more ? ", ..." : "");
    }
    break;
  }
  return error;
}

}  // namespace ingot::store
