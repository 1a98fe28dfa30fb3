#include "daemon/store/artifacts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/store/tar_writer.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;

struct MediaType {
  std::string_view ending;
  std::string_view type;
};
constexpr MediaType kMediaTypes[] = {{".iso", "application/x-iso9660-image"},
                                     {".json", "application/json"},
                                     {".yaml", "application/yaml"},
                                     {".yml", "application/yaml"},
                                     {".txt", "text/plain"},
                                     {".sha256", "text/plain"},
                                     {".tar", "application/x-tar"},
                                     {".gz", "application/gzip"},
                                     {".tgz", "application/gzip"},
                                     {".zst", "application/zstd"},
                                     {".xz", "application/x-xz"},
                                     {".html", "text/html"},
                                     {".efi", "application/efi"},
                                     {".squashfs", "application/vnd.squashfs"}};

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Result<std::vector<std::string>> names_in(const sys::RootedDir& root, const std::string& directory) {
  INGOT_TRY(auto fd, root.open_path(directory, O_RDONLY | O_DIRECTORY));
  std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(fd.get()), closedir);
  if (!open) return fail_errno(errno, "cannot read directory " + directory);
  fd.release();
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Appends the existing paths that match `pattern`, part by part.
void expand(const sys::RootedDir& root, const std::string& so_far, const std::vector<std::string>& parts,
            std::size_t index, std::vector<std::string>& found) {
  if (index == parts.size()) {
    if (root.status(so_far.empty() ? "/" : so_far, false)) found.push_back(so_far.empty() ? "/" : so_far);
    return;
  }
  const std::string& part = parts[index];
  if (part.empty() || part == ".") return expand(root, so_far, parts, index + 1, found);
  if (!base::has_glob(part)) return expand(root, so_far + "/" + part, parts, index + 1, found);
  auto names = names_in(root, so_far.empty() ? "/" : so_far);
  if (!names) return;
  for (const auto& name : *names) {
    if (base::glob_match(part, name)) expand(root, so_far + "/" + name, parts, index + 1, found);
  }
}

tl::unexpected<Error> not_there(const graph::SaveArtifact& save, const sys::RootedDir& root) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.message = "SAVE ARTIFACT: \"" + save.source + "\" is not in the target's file system";
  error.position = save.position;
  const std::string directory = fs::path(save.source).parent_path();
  auto names = names_in(root, directory);
  if (names) error.hint = base::did_you_mean(base_name(save.source), *names);
  if (error.hint.empty() && names && !names->empty()) {
    names->resize(std::min<std::size_t>(names->size(), 8));
    error.hint = directory + " has: " + base::join(*names, ", ");
  }
  if (error.hint.empty()) error.hint = "a RUN before it must make it; SAVE ARTIFACT --if-exists lets it be missing";
  return fail(std::move(error));
}

Result<base::Digest> keep_file(int fd, BlobWriter writer, std::uint64_t& size) {
  std::vector<char> buffer(1 << 20);
  while (true) {
    ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read an artifact");
    if (got == 0) break;
    INGOT_CHECK(writer.write({buffer.data(), static_cast<std::size_t>(got)}));
  }
  size = writer.size();
  return writer.commit(Durability::now);
}

Result<proto::Artifact> keep(const graph::SaveArtifact& save, const sys::RootedDir& root, const BlobStore& blobs,
                             const std::string& path) {
  proto::Artifact artifact;
  INGOT_TRY(auto status, root.status(path, !save.symlink_no_follow));
  INGOT_TRY(auto writer, blobs.begin());
  artifact.mode = status.st_mode & 07777U;
  if (S_ISDIR(status.st_mode)) {
    const TarOptions options{save.keep_ts, save.keep_own};
    INGOT_CHECK(write_tar(root, path, options, [&](std::string_view bytes) { return writer.write(bytes); }));
    artifact.size = writer.size();
    artifact.media_type = proto::kDirectoryMediaType;
    INGOT_TRY(auto digest, writer.commit(Durability::now));
    artifact.digest = digest.str();
    return artifact;
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid, "SAVE ARTIFACT: \"" + path + "\" is neither a file nor a directory");
  }
  INGOT_TRY(auto fd, root.open_path(path, O_RDONLY | (save.symlink_no_follow ? O_NOFOLLOW : 0)));
  INGOT_TRY(auto digest, keep_file(fd.get(), std::move(writer), artifact.size));
  artifact.digest = digest.str();
  artifact.media_type = media_type_of(path);
  return artifact;
}

}  // namespace

std::string media_type_of(const std::string& name) {
  for (const auto& row : kMediaTypes) {
    if (name.size() > row.ending.size() && name.ends_with(row.ending)) return std::string(row.type);
  }
  return "application/octet-stream";
}

Result<std::vector<proto::Artifact>> save_artifacts(const graph::SaveArtifact& save, const sys::RootedDir& root,
                                                    const BlobStore& blobs) {
  std::vector<std::string> paths;
  expand(root, "", base::split(save.source, '/'), 0, paths);
  if (paths.empty() && save.if_exists) return std::vector<proto::Artifact>{};
  if (paths.empty()) return not_there(save, root);
  const bool by_glob = base::has_glob(save.source);
  std::vector<proto::Artifact> artifacts;
  for (const auto& path : paths) {
    auto kept = keep(save, root, blobs, path);
    if (!kept) {
      Error error = kept.error();
      if (!error.position) error.position = save.position;
      return fail(std::move(error));
    }
    // Of several matches each goes below the name and the local path, under its own.
    kept->name = by_glob ? (save.name == "." ? "" : save.name + "/") + base_name(path) : save.name;
    kept->local_path = save.local_path;
    if (by_glob && !save.local_path.empty()) {
      kept->local_path = (fs::path(save.local_path) / base_name(path)).lexically_normal();
    }
    artifacts.push_back(std::move(*kept));
  }
  return artifacts;
}

}  // namespace ingot::store
