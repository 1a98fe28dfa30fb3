#include "daemon/solver/step_images.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "daemon/base/image_name.h"
#include "daemon/image/built_image.h"
#include "daemon/image/layout.h"

namespace ingot::solver {

namespace {

// What `docker load` looks for beside OCI's own index.
Status write_docker_manifest(const std::string& name, const std::vector<base::Digest>& blobs,
                             const sys::fs::path& directory) {
  const auto path_of = [](const base::Digest& digest) { return "blobs/sha256/" + digest.hex(); };
  auto layers = nlohmann::json::array();
  for (std::size_t i = 2; i < blobs.size(); ++i) layers.push_back(path_of(blobs[i]));
  const nlohmann::json manifest = {
      {{"Config", path_of(blobs.at(1))}, {"RepoTags", {base::with_tag(name)}}, {"Layers", std::move(layers)}}};
  INGOT_TRY(auto file, sys::open_file(directory / "manifest.json", O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::write_all(file.get(), manifest.dump());
}

}  // namespace

Result<base::Digest> StepImages::build(const graph::StepImage& image, store::SnapshotId snapshot,
                                       const sys::CancelToken& cancel) {
  graph::SaveImage save;
  save.config = image.config;
  save.name = image.name;
  save.platform = image.platform;
  INGOT_TRY(const auto created, snapshots_.created_ms(snapshot));
  const image::ImageRequest request{save, snapshot, created / 1000, {}, {}};
  INGOT_TRY(const auto built, image::build_image(request, layers_, blobs_, cancel));
  return built.digest;
}

Result<sys::TempDir> StepImages::lay_out(const graph::StepImage& image, store::SnapshotId snapshot,
                                         const sys::CancelToken& cancel) {
  const auto hold = blobs_.ledger().hold();  // until all of it has a second name
  INGOT_TRY(const auto digest, build(image, snapshot, cancel));
  INGOT_TRY(auto layout, image::lay_out(digest, image.name, blobs_, layers_.composed(), work_directory_));
  INGOT_TRY(const auto blobs, image::blobs_of(digest, blobs_));
  INGOT_CHECK(write_docker_manifest(image.name, blobs, layout.path()));
  return layout;
}

}  // namespace ingot::solver
