#include "daemon/store/artifacts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/base/glob.h"
#include "daemon/store/artifact_source.h"
#include "daemon/store/tar_writer.h"
#include "daemon/sys/file_bytes.h"
#include "daemon/sys/writeback.h"

namespace ingot::store {

namespace {

using base::fail;

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

// The file or directory that a source leads to.
Result<struct stat> look_at(const graph::SaveArtifact& save, const sys::RootedDir& root, const std::string& path) {
  INGOT_TRY(auto status, root.status(path, false));
  if (!S_ISLNK(status.st_mode)) return status;
  if (save.symlink_no_follow) {
    return fail(ErrorKind::invalid, "SAVE ARTIFACT --symlink-no-follow: \"" + path + "\" is a symlink",
                "an artifact is a file or a directory: save what the link leads to, or the directory that has it");
  }
  auto followed = root.status(path, true);
  if (followed || followed.error().kind != ErrorKind::not_found) return followed;
  return fail(ErrorKind::not_found, "SAVE ARTIFACT: \"" + path + "\" is a symlink to what is not there");
}

// By a second name for the layer's own file, which is read once, for its digest, and written never. False: the file has
// to be copied.
Result<bool> keep_in_place(const ArtifactLayers& layers, const std::string& path, const struct stat& status,
                           const BlobStore& blobs, proto::Artifact& artifact) {
  constexpr off_t kWorthIt = 1 << 20;
  if (status.st_size < kWorthIt) return false;
  const auto file = layers.files.find(path, status);
  if (!file) return false;
  const sys::WritebackBeside writeback(file->fd.get());
  base::Hasher hasher;
  base::Checksum checksum;
  INGOT_CHECK(sys::read_bytes(file->fd.get(), "cannot read artifact " + path, [&](std::string_view bytes) -> Status {
    hasher.update(bytes);
    checksum.update(bytes);
    artifact.size += bytes.size();
    return {};
  }));
  const base::Digest digest = hasher.finish();
  const auto counts = layers.counts(file->layer, digest, SharedFile::of(status));
  if (!blobs.adopt(file->fd.get(), digest, Durability::now, counts)) {
    artifact.size = 0;
    return false;
  }
  artifact.digest = digest.str();
  artifact.checksum = checksum.finish();
  return true;
}

Result<proto::Artifact> keep(const graph::SaveArtifact& save, const sys::RootedDir& root, const BlobStore& blobs,
                             const ArtifactLayers* layers, const std::string& path) {
  proto::Artifact artifact;
  INGOT_TRY(auto status, look_at(save, root, path));
  artifact.mode = status.st_mode & 07777U;
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid, "SAVE ARTIFACT: \"" + path + "\" is neither a file nor a directory");
  }
  artifact.media_type = S_ISDIR(status.st_mode) ? proto::kDirectoryMediaType : media_type_of(path);
  if (S_ISREG(status.st_mode) && layers != nullptr) {
    INGOT_TRY(bool kept, keep_in_place(*layers, path, status, blobs, artifact));
    if (kept) return artifact;
  }
  INGOT_TRY(auto writer, blobs.begin());
  const auto sink = [&](std::string_view bytes) { return writer.write(bytes); };
  if (S_ISDIR(status.st_mode)) {
    TarOptions options;
    options.keep_times = save.keep_ts;
    options.keep_owners = save.keep_own;
    INGOT_CHECK(write_tar(root, path, options, sink));
  } else {
    INGOT_TRY(auto fd, root.open_path(path, O_RDONLY | O_NONBLOCK));
    INGOT_CHECK(sys::read_bytes(fd.get(), "cannot read artifact " + path, sink));
  }
  artifact.size = writer.size();
  artifact.checksum = writer.checksum();
  INGOT_TRY(auto digest, writer.commit(Durability::now));
  artifact.digest = digest.str();
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
                                                    const BlobStore& blobs, const ArtifactLayers* layers) {
  const std::vector<std::string> paths = matching_paths(root, save.source);
  if (paths.empty() && save.if_exists) return std::vector<proto::Artifact>{};
  if (paths.empty()) {
    Error error = missing_source("SAVE ARTIFACT", save.source, root);
    error.position = save.position;
    return fail(std::move(error));
  }
  const bool by_glob = base::has_glob(save.source);
  std::vector<proto::Artifact> artifacts;
  for (const auto& path : paths) {
    auto kept = keep(save, root, blobs, layers, path);
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
