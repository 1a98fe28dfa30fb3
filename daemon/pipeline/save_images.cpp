#include "daemon/pipeline/save_images.h"

#include <fmt/format.h>

#include <charconv>

#include "daemon/base/strings.h"
#include "daemon/image/push.h"
#include "proto/codec.h"

namespace ingot::pipeline {

namespace {

using base::fail;

constexpr const char* kEpoch = "SOURCE_DATE_EPOCH";

// The latest time of anything in the images, when the job asks for one.
Result<std::optional<std::int64_t>> source_date_epoch(const proto::JobSpec& spec) {
  const auto given = spec.args.find(kEpoch);
  if (given == spec.args.end() || given->second.empty()) return std::optional<std::int64_t>();
  std::int64_t seconds = 0;
  const std::string& text = given->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0) return std::optional(seconds);
  return fail(ErrorKind::invalid, fmt::format("{} is \"{}\", and no number of seconds", kEpoch, base::printable(text)),
              "such as 1700000000");
}

// What the image was made from: the project directory without the times of its files.
std::string source_digest(proto::ContextManifest context) {
  for (auto& entry : context.entries) entry.mtime_ns = 0;
  return base::Digest::of(proto::canonical_text(context)).str();
}

proto::Artifact manifest_artifact(const image::BuiltImage& image) {
  proto::Artifact artifact;
  artifact.name = image.name;
  artifact.digest = image.digest.str();
  artifact.checksum = image.checksum;
  artifact.size = image.manifest_size;
  artifact.media_type = image::kManifestType;
  return artifact;
}

Error at(Error error, const graph::SaveImage& save) {
  if (!error.position && error.kind != ErrorKind::canceled) error.position = save.position;
  return error;
}

}  // namespace

Result<image::LayerForm> layer_form(const Engine& engine, const proto::JobSpec& spec) {
  INGOT_TRY(auto epoch, source_date_epoch(spec));
  const auto otherwise = spec.push ? engine.compression : proto::Compression::none;
  return image::LayerForm{spec.compression.value_or(otherwise), epoch};
}

Result<std::vector<proto::Artifact>> save_images(const Engine& engine, const jobs::JobRun& run,
                                                 const proto::ContextManifest& context, const graph::Graph& graph,
                                                 const solver::Build& build, const image::LayerForm& form,
                                                 const image::Progress& progress) {
  std::vector<proto::Artifact> artifacts;
  if (graph.images.empty()) return artifacts;
  const std::string sources = source_digest(context);
  std::vector<std::pair<const graph::SaveImage*, image::BuiltImage>> made;
  for (const auto& save : graph.images) {
    const store::SnapshotId snapshot = build.result(save.from).id();
    INGOT_TRY(auto created, engine.snapshots.created_ms(snapshot));
    image::ImageRequest request{save, snapshot, created / 1000, form, {}};
    request.annotations["org.ingot.source"] = sources;
    auto image = image::build_image(request, engine.layers, engine.blobs, run.cancel);
    if (!image) return fail(at(image.error(), save));
    progress(fmt::format("image {} is {}, {} in {} layers", image->name, image->digest.str(),
                         base::human_bytes(image->size), image->layers));
    artifacts.push_back(manifest_artifact(*image));
    made.emplace_back(&save, std::move(*image));
  }
  for (const auto& [save, image] : made) {
    if (!save->push || !run.job.spec.push) continue;
    const auto rule = engine.images.registry_rule(image.name);
    auto pushed = image::push_image({image.digest, image.name, save->insecure, rule, form.compression, engine.layers,
                                     engine.blobs, engine.work_directory, engine.processes, progress, run.cancel});
    if (!pushed) return fail(at(pushed.error(), *save));
    progress(fmt::format("pushed {}@{}, {} of {} sent", pushed->name, pushed->digest,
                         base::human_bytes(pushed->sent_bytes), base::human_bytes(pushed->bytes)));
  }
  return artifacts;
}

}  // namespace ingot::pipeline
