#include "client/fetch/local_artifacts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "client/fetch/unpack_tar.h"
#include "daemon/base/git_directory.h"
#include "daemon/base/strings.h"
#include "daemon/sys/rooted.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

// Puts `fresh` in the place of `place`, and removes what stood there. The two change places in one step, so that one of
// both is always there.
Status replace_directory(const fs::path& fresh, const fs::path& place) {
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EEXIST) return fail_errno(errno, "cannot name " + place.filename().string());
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) != 0) {
    return fail_errno(errno, "cannot replace " + place.filename().string());
  }
  return sys::remove_tree(fresh);
}

mode_t current_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

tl::unexpected<Error> refuse_git(const proto::Artifact& artifact) {
  return fail(ErrorKind::denied,
              "artifact " + base::printable(artifact.name) + " asks for the place \"" +
                  base::printable(artifact.local_path) + "\", which lies in a .git directory",
              "git runs what lies there, so nothing is put there; `ingot get -o DIR` fetches it to another place");
}

// Where an artifact may land: a relative path that names something below the project. Nothing of it is trusted.
Result<fs::path> checked_place(const proto::Artifact& artifact) {
  const std::string shown = base::printable(artifact.local_path);
  fs::path local = fs::path(artifact.local_path).lexically_normal();
  if (!local.has_filename()) local = local.parent_path();  // a trailing slash
  if (local.is_absolute() || (!local.empty() && *local.begin() == "..")) {
    return fail(ErrorKind::denied, "artifact " + base::printable(artifact.name) + " asks for the place \"" + shown +
                                       "\", which is outside of the project");
  }
  if (local.empty() || local == ".") {
    return fail(ErrorKind::denied,
                "artifact " + base::printable(artifact.name) + " asks for the place of the project directory itself",
                "write AS LOCAL with a name, such as AS LOCAL build/");
  }
  if (base::leads_into_git(local.string())) return refuse_git(artifact);
  return local;
}

// By what way ever: an artifact that came before may have brought a link along that leads there.
Status check_is_not_git(const proto::Artifact& artifact, const sys::RootedDir& root, const sys::UniqueFd& parent) {
  std::error_code error;
  const auto path_of = [&](int fd) { return fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), error); };
  const fs::path project = path_of(root.fd());
  const fs::path place = error ? fs::path() : path_of(parent.get());
  if (error) return fail_errno(error.value(), "cannot find out where artifacts land");
  if (base::leads_into_git(place.lexically_relative(project).string())) return refuse_git(artifact);
  return {};
}

// Errors name the place as the user knows it, not the way by which we hold it.
Status with_real_names(Status done, const std::string& held, const std::string& real) {
  if (done) return done;
  Error error = done.error();
  for (std::size_t at = error.message.find(held); at != std::string::npos; at = error.message.find(held, at)) {
    error.message.replace(at, held.size(), real);
    at += real.size();
  }
  return fail(std::move(error));
}

Status fetch_directory(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, const fs::path& place,
                       const DownloadProgress& progress) {
  // Names of their own, not built from the artifact's, which may have all of 255 bytes.
  const std::string name = ".ingot-new-" + base::random_id(8);
  const fs::path fresh = place.parent_path() / name;
  const fs::path tar = place.parent_path() / (name + ".ingot-tar");
  Status done = download_file(daemon, job, artifact, tar, progress);
  if (done) done = unpack_tar(tar, fresh);
  unlink(part_file(tar).c_str());
  unlink(tar.c_str());
  if (done && chmod(fresh.c_str(), (artifact.mode | 0700U) & 0777U & ~current_umask()) != 0)
    done = fail_errno(errno, "cannot set the mode of " + place.string());
  if (done) done = replace_directory(fresh, place);
  if (!done) (void)sys::remove_tree(fresh);
  return done;
}

Status fetch_file(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, const fs::path& place,
                  const DownloadProgress& progress) {
  struct stat status {};
  if (lstat(place.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::conflict, place.string() + " is a directory, and the artifact is a file",
                "remove it, or write AS LOCAL with a trailing slash");
  }
  return download_file(daemon, job, artifact, place, progress, Afterwards::remember_digest);
}

}  // namespace

Status fetch_into_project(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                          const fs::path& project, const DownloadProgress& progress) {
  INGOT_TRY(const fs::path local, checked_place(artifact));
  const fs::path above = local.has_parent_path() ? local.parent_path() : ".";
  INGOT_TRY(auto root, sys::RootedDir::open(project, sys::RootedDir::Links::refuse));
  INGOT_CHECK(root.make_directories(above, 0777U & ~current_umask()));
  INGOT_TRY(auto parent, root.open_path(above, O_PATH | O_DIRECTORY));
  INGOT_CHECK(check_is_not_git(artifact, root, parent));
  // By way of the open directory: whatever happens to names above it meanwhile, this is where it goes.
  const fs::path held = fmt::format("/proc/self/fd/{}", parent.get());
  const bool is_directory = artifact.media_type == proto::kDirectoryMediaType;
  const auto fetch = is_directory ? fetch_directory : fetch_file;
  return with_real_names(fetch(daemon, job, artifact, held / local.filename(), progress), held.string(),
                         (above == "." ? project : project / above).string());
}

}  // namespace ingot::client
