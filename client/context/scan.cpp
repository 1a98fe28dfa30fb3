#include "client/context/scan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "client/context/hash_files.h"
#include "daemon/base/ignore.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;
using base::IgnoreRules;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorKind::invalid, "cannot send \"" + base::printable(path) + "\": " + why,
              "remove it, or list it in .earthlyignore");
}

Result<IgnoreRules> read_rules(const fs::path& directory) {
  if (access((directory / ".earthignore").c_str(), F_OK) == 0) {
    return fail(ErrorKind::invalid, "there is a file .earthignore in " + directory.string(),
                "rename it to .earthlyignore");
  }
  auto text = sys::read_file(directory / ".earthlyignore", 1U << 20);
  if (!text && text.error().kind == ErrorKind::not_found) return IgnoreRules();
  if (!text) return fail(text.error());
  return IgnoreRules::parse(*text);
}

// What an interrupted fetch of ours may have left beside its destination.
bool is_own_leftover(const std::string& name) {
  return name.starts_with('.') && (name.ends_with(".ingot-part") || name.ends_with(".ingot-tar") ||
                                   name.starts_with(".ingot-new-") || name.starts_with(".ingot-old-"));
}

// Files that hold secrets, by what they are: a link, or another name, leads to the same one.
class SecretFiles {
 public:
  explicit SecretFiles(const std::vector<fs::path>& files) {
    for (const auto& file : files) {
      struct stat status {};
      for (auto* look : {&stat, &lstat}) {
        if ((*look)(file.c_str(), &status) == 0) known_.emplace(status.st_dev, status.st_ino);
      }
    }
  }
  bool contain(const std::string& path, const struct stat& status) const {
    if (S_ISDIR(status.st_mode)) return false;
    return path.substr(path.rfind('/') + 1) == ".secret" || known_.contains({status.st_dev, status.st_ino});
  }

 private:
  std::set<std::pair<dev_t, ino_t>> known_;
};

// Walks the directory and lists everything, files without digests.
class Walk {
 public:
  Walk(const fs::path& root, const IgnoreRules& rules, const SecretFiles& secrets, proto::ContextManifest& manifest)
      : root_(root), rules_(rules), secrets_(secrets), manifest_(manifest) {}

  // `below` is "" or ends with a slash.
  Status directory(const std::string& below) {
    std::error_code error;
    std::vector<std::string> names;
    fs::directory_iterator each(root_ / below, error);
    for (; !error && each != fs::directory_iterator(); each.increment(error)) names.push_back(each->path().filename());
    if (error) return fail_errno(error.value(), "cannot read directory " + visible_path(below));
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (!is_own_leftover(name)) INGOT_CHECK(entry(below + name));
    }
    return {};
  }

 private:
  std::string visible_path(const std::string& path) const { return base::printable((root_ / path).string()); }

  // The recipe goes along even when its own rules would drop it: without it there is nothing to build.
  bool is_ignored(const std::string& path) const { return path != "Earthfile" && rules_.ignores(path); }

  Status entry(const std::string& path) {
    struct stat status {};
    if (lstat((root_ / path).c_str(), &status) != 0) {
      if (errno == ENOENT) return {};  // removed since its directory was read
      return fail_errno(errno, "cannot look at " + visible_path(path));
    }
    if (secrets_.contain(path, status)) return {};
    const bool ignored = is_ignored(path);
    if (ignored && !(S_ISDIR(status.st_mode) && rules_.may_bring_back_below(path))) return {};
    if (!base::is_valid_utf8(path)) return refuse(path, "its name is no UTF-8");
    proto::ManifestEntry row;
    row.path = path;
    row.mode = status.st_mode & 07777U;
    row.mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    if (S_ISDIR(status.st_mode)) {
      row.type = proto::EntryType::directory;
      if (!ignored) manifest_.entries.push_back(std::move(row));
      return directory(path + "/");
    }
    if (S_ISLNK(status.st_mode)) {
      INGOT_TRY(row.link_target, link_target(path));
      row.type = proto::EntryType::symlink;
      row.mode = 0777;
    } else if (S_ISREG(status.st_mode)) {
      row.size = static_cast<std::uint64_t>(status.st_size);
    } else {
      return refuse(path, S_ISSOCK(status.st_mode)   ? "it is a socket"
                          : S_ISFIFO(status.st_mode) ? "it is a pipe"
                                                     : "it is a device");
    }
    manifest_.entries.push_back(std::move(row));
    return {};
  }

  Result<std::string> link_target(const std::string& path) const {
    std::error_code error;
    std::string target = fs::read_symlink(root_ / path, error).string();
    if (error) return fail_errno(error.value(), "cannot read symlink " + visible_path(path));
    if (!base::is_valid_utf8(target)) return refuse(path, "it is a symlink to a name that is no UTF-8");
    return target;
  }

  const fs::path& root_;
  const IgnoreRules& rules_;
  const SecretFiles& secrets_;
  proto::ContextManifest& manifest_;
};

}  // namespace

Result<proto::ContextManifest> scan_project(const std::filesystem::path& directory, HashCache& cache,
                                            const std::vector<std::filesystem::path>& never_sent) {
  std::error_code error;
  // A project has one name, however the directory was named.
  const fs::path root = fs::canonical(directory, error);
  if (error) return fail_errno(error.value(), "cannot use the directory " + base::printable(directory.string()));
  INGOT_TRY(auto rules, read_rules(root));
  proto::ContextManifest manifest;
  const SecretFiles secrets(never_sent);
  INGOT_CHECK(Walk(root, rules, secrets, manifest).directory(""));
  INGOT_CHECK(hash_files(root, cache, manifest));
  return manifest;
}

}  // namespace ingot::client
