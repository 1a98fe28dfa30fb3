#include "daemon/pipeline/context_host.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::pipeline {

ContextHost::ContextHost(const proto::ContextManifest& context, const store::BlobStore& blobs, image::JobImages& images,
                         git::JobRepositories& repositories, image::Progress progress, sys::CancelToken cancel,
                         Questions questions)
    : context_(context),
      blobs_(blobs),
      images_(images),
      repositories_(repositories),
      progress_(std::move(progress)),
      cancel_(std::move(cancel)),
      questions_(std::move(questions)) {}

Result<std::string> ContextHost::read_file(const std::string& path) {
  auto found = std::find_if(context_.entries.begin(), context_.entries.end(), [&](const auto& entry) {
    return entry.type == proto::EntryType::file && entry.path == path;
  });
  if (found == context_.entries.end()) {
    return base::fail(ErrorKind::not_found, "the project directory has no file \"" + path + "\"");
  }
  constexpr std::size_t kLargestText = 64U << 20;
  if (found->size > kLargestText) {
    return base::fail(ErrorKind::too_large, path + " is larger than " + base::human_bytes(kLargestText),
                      "what is read to find out what to build is text, and small");
  }
  INGOT_TRY(auto digest, base::Digest::parse(found->digest));
  return sys::read_file(blobs_.path(digest));
}

std::vector<std::string> ContextHost::earthfiles() {
  constexpr std::string_view kName = "Earthfile";
  std::vector<std::string> directories;
  for (const auto& entry : context_.entries) {
    if (entry.type != proto::EntryType::file) continue;
    if (entry.path == kName) directories.emplace_back();
    if (!entry.path.ends_with("/" + std::string(kName))) continue;
    directories.push_back(entry.path.substr(0, entry.path.size() - kName.size() - 1));
  }
  std::sort(directories.begin(), directories.end());
  return directories;
}

Result<graph::ImageConfig> ContextHost::image_config(const std::string& reference, const base::Platform& platform) {
  if (reference == "scratch") return graph::ImageConfig{};
  INGOT_TRY(auto image, images_.resolve(reference, progress_, cancel_, platform));
  return image.config;
}

Result<earthfile::Repository> ContextHost::repository(const std::string& reference, const std::string& ref,
                                                      const std::string& asked_by) {
  INGOT_TRY(const auto found, repositories_.find(reference, ref, cancel_, asked_by));
  const git::Revision& revision = found.revision;
  return earthfile::Repository{found.location.name,
                               found.location.directory,
                               found.location.named.text(),
                               ref,
                               revision.commit,
                               revision.branch,
                               revision.tag,
                               revision.full_ref,
                               git::kDetailsFile};
}

}  // namespace ingot::pipeline
