#include "client/earthly/output.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/commands/common.h"
#include "client/fetch/image_load.h"
#include "client/fetch/local_artifacts.h"
#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client::earthly {

namespace {

namespace fs = std::filesystem;
using base::fail;

std::string last_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_below(const proto::Artifact& artifact, const std::string& path) {
  return artifact.media_type == proto::kDirectoryMediaType && path.starts_with(artifact.name + "/");
}

Status fetch_to(Daemon& daemon, const std::string& job, proto::Artifact artifact, const fs::path& place) {
  const fs::path parent = place.has_parent_path() ? place.parent_path() : ".";
  INGOT_CHECK(sys::make_directories(parent, 0777));
  artifact.local_path = place.filename().string();
  return fetch_into_project(daemon, job, artifact, parent, nullptr);
}

// A part of a directory, which travels whole.
Status fetch_part(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, const std::string& part,
                  const fs::path& place) {
  const fs::path parent = place.has_parent_path() ? place.parent_path() : ".";
  INGOT_CHECK(sys::make_directories(parent, 0777));
  INGOT_TRY(auto scratch, sys::TempDir::create(parent, ".ingot-artifact-"));
  INGOT_CHECK(fetch_to(daemon, job, artifact, scratch.path() / "whole"));
  std::error_code error;
  const fs::path whole = fs::canonical(scratch.path() / "whole", error);
  const fs::path wanted = fs::weakly_canonical(whole / part, error);
  if (!wanted.string().starts_with(whole.string() + "/") || !fs::exists(fs::symlink_status(wanted, error))) {
    return fail(ErrorKind::not_found,
                fmt::format("the artifact {} has no {}", base::printable(artifact.name), base::printable(part)));
  }
  if (fs::exists(fs::symlink_status(place, error))) fs::rename(place, scratch.path() / "before", error);
  fs::rename(wanted, place, error);
  if (error) return base::fail_errno(error.value(), "cannot write " + place.string());
  return {};
}

Status write_artifacts(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view) {
  INGOT_TRY(const auto all, daemon.artifacts(job.id));
  const auto wanted = matching(all, request.artifact);
  if (wanted.empty()) {
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const auto& artifact : all) names.push_back(artifact.name);
    std::string hint = base::did_you_mean(request.artifact, names);
    if (hint.empty()) hint = names.empty() ? "it saves no artifact" : "it saves " + base::join(names, ", ");
    return fail(ErrorKind::not_found,
                fmt::format("{} has no artifact {}", request.target, base::printable(request.artifact)), hint);
  }
  std::error_code ignored;
  const std::string& destination = request.destination;
  const bool into = destination.ends_with('/') || wanted.size() > 1 || fs::is_directory(destination, ignored);
  for (const auto& artifact : wanted) {
    const bool part = is_below(artifact, request.artifact);
    const std::string name = last_name(part ? request.artifact : artifact.name);
    const fs::path place = into ? fs::path(destination) / name : fs::path(destination);
    if (part) {
      const std::string below = request.artifact.substr(artifact.name.size() + 1);
      INGOT_CHECK(fetch_part(daemon, job.id, artifact, below, place));
    } else {
      INGOT_CHECK(fetch_to(daemon, job.id, artifact, place));
    }
    view.tell(request.target, fmt::format("Artifact {}/{} output as {}", request.target,
                                          visible(part ? request.artifact : artifact.name), visible(place.string())));
  }
  return {};
}

Status write_local(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view) {
  INGOT_TRY(const auto artifacts, daemon.artifacts(job.id));
  for (const auto& artifact : artifacts) {
    if (artifact.local_path.empty()) continue;
    INGOT_CHECK(fetch_into_project(daemon, job.id, artifact, project_directory(request.invocation), nullptr));
    view.tell(request.target, fmt::format("Artifact {}/{} output as {}", request.target, visible(artifact.name),
                                          visible(artifact.local_path)));
  }
  return {};
}

// Without docker and podman an image stays with the daemon, which is an error only for who asked for it by name.
Status write_images(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view) {
  INGOT_TRY(auto images, daemon.images());
  std::erase_if(images, [&](const proto::ImageInfo& image) { return image.job != job.id; });
  const bool asked = request.form == BuildRequest::Form::image;
  if (images.empty() && asked) {
    return fail(ErrorKind::not_found, request.target + " saves no image", "it needs SAVE IMAGE name:tag");
  }
  if (images.empty()) return {};
  const auto program = working_image_loader({"docker", "podman"});
  for (const auto& image : images) {
    Status loaded = program ? load_image(daemon, image, *program, true) : Status(fail(program.error()));
    if (!loaded && asked) return loaded;
    view.tell(request.target, loaded ? fmt::format("Image {} output as {}", request.target, visible(image.name))
                                     : fmt::format("Image {} stays with the daemon: {}", visible(image.name),
                                                   visible(loaded.error().message)));
  }
  return {};
}

}  // namespace

std::vector<proto::Artifact> matching(const std::vector<proto::Artifact>& artifacts, const std::string& path) {
  std::vector<proto::Artifact> found;
  for (const auto& artifact : artifacts) {
    if (artifact.name == path || base::glob_match(path, artifact.name)) found.push_back(artifact);
  }
  if (!found.empty()) return found;
  const auto above = std::find_if(artifacts.begin(), artifacts.end(),
                                  [&](const proto::Artifact& artifact) { return is_below(artifact, path); });
  if (above != artifacts.end()) found.push_back(*above);
  return found;
}

Status write_rest(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view) {
  const bool is_wanted = request.form == BuildRequest::Form::target && request.writes_output;
  return is_wanted ? write_local(daemon, request, job, view) : Status();
}

Status write_output(Daemon& daemon, const BuildRequest& request, const proto::Job& job, View& view) {
  if (request.form == BuildRequest::Form::artifact) return write_artifacts(daemon, request, job, view);
  if (request.form == BuildRequest::Form::image) return write_images(daemon, request, job, view);
  if (!request.writes_output) return {};
  INGOT_CHECK(write_local(daemon, request, job, view));
  return write_images(daemon, request, job, view);
}

}  // namespace ingot::client::earthly
