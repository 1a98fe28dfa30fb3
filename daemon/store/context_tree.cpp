#include "daemon/store/context_tree.h"

#include <filesystem>
#include <set>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/store/copy_target.h"

namespace ingot::store {

namespace {

using proto::EntryType;
using proto::ManifestEntry;

// "./src//a/" as "src/a"; the whole context is "".
std::string normal(const std::string& path) {
  std::string text = std::filesystem::path("/" + path).lexically_normal().string().substr(1);
  while (text.ends_with('/')) text.pop_back();
  return text;
}

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

ContextTree::ContextTree(const proto::ContextManifest& manifest) {
  for (const auto& entry : manifest.entries) entries_[entry.path] = &entry;
  auto imply = [this](std::string path) {
    if (entries_.contains(path)) return;
    ManifestEntry directory;
    directory.path = std::move(path);
    directory.type = EntryType::directory;
    directory.mode = 0755;
    directory.mtime_ns = kCopyTimeSeconds * 1'000'000'000;
    implied_.push_back(std::move(directory));
    entries_[implied_.back().path] = &implied_.back();
  };
  imply("");
  for (const auto& entry : manifest.entries) {
    const std::string& path = entry.path;
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      imply(path.substr(0, at));
    }
  }
}

const ManifestEntry* ContextTree::find(std::string_view path) const {
  auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : found->second;
}

const ManifestEntry* ContextTree::resolve(const std::string& path, bool follow_last) const {
  constexpr int kMostLinks = 40;  // as the kernel has it
  int links = 0;
  std::string at;
  std::vector<std::string> rest;  // to go, the next one last
  auto push = [&rest](const std::string& text) {
    const auto parts = base::split(text, '/');
    rest.insert(rest.end(), parts.rbegin(), parts.rend());
  };
  push(path);
  while (!rest.empty()) {
    const std::string part = rest.back();
    rest.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (at.empty()) return nullptr;
      at = parent_of(at);
      continue;
    }
    const std::string next = join(at, part);
    const ManifestEntry* entry = find(next);
    if (entry == nullptr) return nullptr;
    if (entry->type != EntryType::symlink || (rest.empty() && !follow_last)) {
      at = next;
      continue;
    }
    if (++links > kMostLinks) return nullptr;
    push(entry->link_target);
  }
  return find(at);
}

std::vector<std::string> ContextTree::select(const std::string& source) const {
  const std::string wanted = normal(source);
  if (resolve(wanted, false) != nullptr) return {wanted};
  std::vector<std::string> paths;
  if (!base::has_glob(wanted)) return paths;
  for (const auto& [path, entry] : entries_) {
    if (base::glob_match(wanted, path)) paths.emplace_back(path);
  }
  return paths;
}

std::vector<const ManifestEntry*> ContextTree::below(const ManifestEntry& directory) const {
  const std::string prefix = directory.path.empty() ? "" : directory.path + "/";
  std::vector<const ManifestEntry*> found;
  for (auto it = entries_.lower_bound(prefix); it != entries_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second != &directory) found.push_back(it->second);
  }
  return found;
}

std::vector<std::string> ContextTree::children(const std::string& directory) const {
  const std::string prefix = directory.empty() ? "" : directory + "/";
  std::vector<std::string> names;
  auto it = entries_.lower_bound(prefix);
  while (it != entries_.end() && it->first.starts_with(prefix)) {
    const std::string name(it->first.substr(prefix.size(), it->first.find('/', prefix.size()) - prefix.size()));
    if (!name.empty()) names.push_back(name);
    // '0' comes right after '/': past all that lies below this name.
    it = name.empty() ? std::next(it) : entries_.lower_bound(prefix + name + "0");
  }
  return names;
}

std::string ContextTree::nearest(const std::string& path) const {
  const auto parts = base::split(path, '/');
  std::string directory;
  for (const auto& part : parts) {
    const ManifestEntry* next = resolve(join(directory, part), true);
    if (next != nullptr && next->type == EntryType::directory) {
      directory = join(directory, part);
      continue;
    }
    std::vector<std::string> candidates;
    for (const auto& name : children(directory)) candidates.push_back(join(directory, name));
    if (auto hint = base::did_you_mean(join(directory, part), candidates); !hint.empty()) return hint;
    break;
  }
  // A file of that name in another directory.
  const std::string name = "/" + parts.back();
  for (const auto& [other, entry] : entries_) {
    if (other.ends_with(name) && entry->type == EntryType::file) return "there is \"" + std::string(other) + "\"";
  }
  return {};
}

// Whether a link goes round in a circle.
bool ContextTree::leads_back(std::string path) const {
  std::set<std::string> seen;
  while (seen.insert(path).second) {
    const ManifestEntry* link = resolve(path, false);
    if (link == nullptr || link->type != EntryType::symlink) return false;
    const auto directory = std::filesystem::path(path).parent_path();
    path = normal((directory / link->link_target).lexically_normal().string());
  }
  return true;
}

Error ContextTree::missing(const std::string& source) const {
  const std::string wanted = normal(source);
  Error error;
  error.kind = ErrorKind::not_found;
  error.message = "\"" + source + "\" is not in the project directory";
  if (const ManifestEntry* link = resolve(wanted, false); link != nullptr && link->type == EntryType::symlink) {
    error.message = "\"" + source + "\" is a symlink to \"" + link->link_target + "\", which " +
                    (leads_back(wanted) ? "leads back to it" : "is not in the project directory");
  } else if (!base::has_glob(wanted)) {
    error.hint = nearest(wanted);
  }
  if (error.hint.empty()) error.hint = "check the path, or let it be missing with COPY --if-exists";
  if (find(".earthlyignore") != nullptr) error.context.emplace_back("the project's .earthlyignore may leave it out");
  return error;
}

}  // namespace ingot::store
