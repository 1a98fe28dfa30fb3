#include "daemon/pipeline/context_host.h"

#include <algorithm>

namespace ingot::pipeline {

ContextHost::ContextHost(const proto::ContextManifest& context, const store::BlobStore& blobs, image::JobImages& images,
                         image::Progress progress, sys::CancelToken cancel, Questions questions)
    : context_(context),
      blobs_(blobs),
      images_(images),
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
  INGOT_TRY(auto digest, base::Digest::parse(found->digest));
  return sys::read_file(blobs_.path(digest));
}

Result<graph::ImageConfig> ContextHost::image_config(const std::string& reference) {
  if (reference == "scratch") return graph::ImageConfig{};
  INGOT_TRY(auto image, images_.resolve(reference, progress_, cancel_));
  return image.config;
}

}  // namespace ingot::pipeline
