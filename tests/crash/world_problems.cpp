#include <fmt/format.h>

#include <fstream>

#include "daemon/image/built_image.h"
#include "tests/crash/disk_use.h"
#include "tests/crash/world.h"
#include "tests/crash/world_content.h"
#include "tests/support/temp.h"

// What can be wrong with a World.
namespace ingot::test {

using proto::JobState;

std::vector<std::string> World::problems_of_step(int number) {
  std::vector<std::string> problems;
  auto lease = steps_->find(key_of(number));
  if (!lease || !*lease) return {fmt::format("step {} is lost", number)};
  auto layers = snapshots_->layers((*lease)->id());
  if (!layers) return {fmt::format("step {}: {}", number, layers.error().message)};
  for (auto layer = layers->rbegin(); layer != layers->rend(); ++layer, number /= 2) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(*layer)) {
      if (entry.is_regular_file()) found[fs::relative(entry.path(), *layer)] = slurp(entry.path());
    }
    if (found != files_of_step(number)) problems.push_back(fmt::format("the files of step {} are others", number));
  }
  return problems;
}

std::vector<std::string> World::problems_of_artifact(int job, const proto::Artifact& artifact, const proto::Job& row) {
  const std::string what = fmt::format("artifact {} ({}) of job {}, {}", artifact.id, artifact.name, job, row.id);
  const auto digest = base::Digest::parse(artifact.digest);
  if (!digest || !blobs_->has(*digest)) return {what + " has no bytes"};
  const std::string bytes = slurp(blobs_->path(*digest));
  if (base::Digest::of(bytes) != *digest) return {what + " has other bytes"};
  if (artifact.media_type != image::kManifestType) {
    return bytes == content(artifact.name) ? std::vector<std::string>{} : std::vector{what + " is something else"};
  }
  std::vector<std::string> problems;
  for (const auto& part : store::digests_in_text(bytes)) {
    const auto name = store::from_raw(part);
    if (base::Digest::of(slurp(blobs_->path(name))) != name) problems.push_back(what + " lacks " + name.str());
  }
  return problems;
}

std::vector<std::string> World::problems_of_job(int number, const std::set<int>& removed) {
  auto all = jobs();
  if (!all) return {all.error().message};
  if (!all->contains(number)) return {fmt::format("job {} is lost", number)};
  const auto& row = all->at(number);
  if (row.state != JobState::succeeded) {
    return {fmt::format("job {} is {}: {}", number, proto::name_of(row.state), row.error ? row.error->message : "")};
  }
  auto artifacts = queue_->artifacts(row.id);
  if (!artifacts) return {artifacts.error().message};
  std::vector<std::string> problems;
  if (artifacts->size() != (image_of(number) ? 4 : 2)) {
    problems.push_back(fmt::format("job {} has {} artifacts", number, artifacts->size()));
  }
  for (const auto& artifact : *artifacts) {
    if (artifact.removed_ms != 0 && removed.contains(std::stoi(artifact.id))) continue;
    for (auto& problem : problems_of_artifact(number, artifact, row)) problems.push_back(std::move(problem));
    if (artifact.removed_ms != 0) problems.push_back(fmt::format("job {}: {} was not to go", number, artifact.id));
  }
  std::string log;
  auto reader = queue_->read_log(row.id, 0);
  while (reader) {
    auto lines = reader->read();
    if (!lines || lines->empty()) break;
    log += *lines;
  }
  const std::size_t end = log.find(R"("state":"succeeded")");
  if (end == std::string::npos || log.find('\n', end) + 1 != log.size()) {
    problems.push_back(fmt::format("the log of job {} does not end with its end: {}", number, log));
  }
  for (auto& problem : problems_of_context(context_of(number))) problems.push_back(std::move(problem));
  return problems;
}

std::vector<std::string> World::problems_of_context(int number) {
  auto manifest = contexts_->load(*base::Digest::parse(context_digest(number)));
  if (!manifest) return {fmt::format("context {}: {}", number, manifest.error().message)};
  std::vector<std::string> problems;
  for (const auto& entry : manifest->entries) {
    const auto digest = *base::Digest::parse(entry.digest);
    if (base::Digest::of(slurp(blobs_->path(digest))) != digest) {
      problems.push_back(fmt::format("context {} lacks {}", number, entry.path));
    }
  }
  return problems;
}

std::vector<std::string> World::problems_of_disk() {
  snapshots_->reclaim_now();
  std::vector<std::string> problems;
  const auto compare = [&](const std::string& what, std::uint64_t counted, std::uint64_t found) {
    if (counted != found) problems.push_back(fmt::format("{}: counted {}, on the disk {}", what, counted, found));
  };
  auto usage = collector_->usage();
  if (!usage) return {usage.error().message};
  compare("blobs", blobs_->ledger().totals().bytes, files_on_disk(state_ / "blobs"));
  compare("number of blobs", blobs_->ledger().totals().count, blobs_->list()->size());
  compare("contexts", contexts_->totals().bytes, files_on_disk(state_ / "contexts"));
  compare("logs", queue_->log_bytes(), files_on_disk(state_ / "logs"));
  const auto layers = layers_on_disk(state_ / "snapshots", state_ / "blobs");
  compare("number of layers", usage->layers, layers.count);
  compare("layers", usage->layer_bytes, layers.bytes);

  auto rows = jobs();
  if (!rows) return {rows.error().message};
  std::set<std::string> logs;
  for (const auto& [number, row] : *rows) logs.insert(row.id + ".ndjson");
  for (const auto& entry : fs::directory_iterator(state_ / "logs")) {
    if (!logs.contains(entry.path().filename())) problems.push_back(entry.path().string() + " is left over");
  }
  for (const auto& entry : fs::directory_iterator(state_ / "contexts")) {
    if (entry.path().extension() != ".json") problems.push_back(entry.path().string() + " is left over");
  }
  for (const char* place : {"blobs/tmp", "snapshots/pending", "snapshots/trash"}) {
    for (const auto& entry : fs::directory_iterator(state_ / place)) {
      problems.push_back(entry.path().string() + " is left over");
    }
  }
  return problems;
}

}  // namespace ingot::test
