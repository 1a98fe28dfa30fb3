#include "daemon/pipeline/save_images.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

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

// Those of one name that are for several platforms become one image in the place of the first; of two for the same
// platform the later counts. All others stay as they are.
Result<std::vector<SavedImage>> joined_by_name(std::vector<SavedImage> all, const store::BlobStore& blobs) {
  std::map<std::string, std::map<base::Platform, image::BuiltImage>> by_name;
  std::map<std::string, bool> pushed;
  for (const auto& one : all) {
    if (one.save->stands_alone) continue;
    by_name[one.image.name].insert_or_assign(one.image.platforms.front(), one.image);
    pushed[one.image.name] = pushed[one.image.name] || one.push;
  }
  std::vector<SavedImage> joined;
  for (auto& one : all) {
    const auto named = one.save->stands_alone ? by_name.end() : by_name.find(one.image.name);
    if (named == by_name.end() && !one.save->stands_alone) continue;  // in an index already
    if (named == by_name.end() || named->second.size() == 1) {
      joined.push_back(std::move(one));
      continue;
    }
    std::vector<image::BuiltImage> parts;
    for (auto& [platform, image] : named->second) parts.push_back(std::move(image));
    INGOT_TRY(auto index, image::build_index(one.image.name, std::move(parts), blobs));
    by_name.erase(named);
    const bool push = pushed[index.name];
    joined.push_back({one.save, std::move(index), push});
  }
  return joined;
}

Error at(Error error, const graph::SaveImage& save) {
  if (!error.position && error.kind != ErrorKind::canceled) error.position = save.position;
  return error;
}

}  // namespace

proto::Artifact manifest_artifact(const image::BuiltImage& image) {
  proto::Artifact artifact;
  artifact.name = image.name;
  artifact.digest = image.digest.str();
  artifact.checksum = image.checksum;
  artifact.size = image.manifest_size;
  artifact.image_size = image.size;
  const bool is_index = image.platforms.size() > 1;
  artifact.media_type = is_index ? image::kIndexType : image::kManifestType;
  for (const auto& platform : image.platforms) {
    if (is_index || platform != base::native_platform()) artifact.platforms.push_back(platform.text());
  }
  return artifact;
}

std::string told(const image::BuiltImage& image) {
  std::string text = fmt::format("image {} is {}, {} in {} layers", image.name, image.digest.str(),
                                 base::human_bytes(image.size), image.layers);
  std::vector<std::string> platforms;
  for (const auto& platform : image.platforms) platforms.push_back(platform.text());
  const bool is_native = platforms.size() == 1 && image.platforms.front() == base::native_platform();
  return is_native ? text : text + ", for " + base::join(platforms, ", ");
}

Result<image::LayerForm> layer_form(const Engine& engine, const proto::JobSpec& spec) {
  INGOT_TRY(auto epoch, source_date_epoch(spec));
  const auto otherwise = spec.push ? engine.compression : proto::Compression::none;
  return image::LayerForm{spec.compression.value_or(otherwise), epoch};
}

Result<std::vector<SavedImage>> save_images(const Engine& engine, const jobs::JobRun& run,
                                            const proto::ContextManifest& context, const graph::Graph& graph,
                                            const solver::Build& build, const image::LayerForm& form) {
  std::vector<SavedImage> made;
  if (graph.images.empty()) return made;
  const std::string sources = source_digest(context);
  for (const auto& save : graph.images) {
    const store::SnapshotId snapshot = build.result(save.from).id();
    INGOT_TRY(auto created, engine.snapshots.created_ms(snapshot));
    image::ImageRequest request{save, snapshot, created / 1000, form, {}};
    // What an image says of itself can be read in a registry without fetching its configuration.
    for (const auto& [name, value] : save.config.labels) request.annotations[name] = value;
    request.annotations["org.ingot.source"] = sources;
    auto image = image::build_image(request, engine.layers, engine.blobs, run.cancel);
    if (!image) return fail(at(image.error(), save));
    made.push_back({&save, std::move(*image), save.push});
  }
  return joined_by_name(std::move(made), engine.blobs);
}

Status push_images(const Engine& engine, const jobs::JobRun& run, const std::vector<SavedImage>& images,
                   const image::LayerForm& form, const image::Progress& progress) {
  if (!run.job.spec.push) return {};
  for (const auto& [save, image, push] : images) {
    if (!push) continue;
    const auto rule = engine.images.registry_rule(image.name);
    auto pushed = image::push_image({image.digest, image.name, save->insecure, rule, form.compression, engine.layers,
                                     engine.blobs, engine.work_directory, engine.processes, progress, run.cancel,
                                     run.job.attempts > 1});
    if (!pushed) return fail(at(pushed.error(), *save));
    progress(fmt::format("pushed {}@{}, {} of {} sent", pushed->name, pushed->digest,
                         base::human_bytes(pushed->sent_bytes), base::human_bytes(pushed->bytes)));
  }
  return {};
}

}  // namespace ingot::pipeline
