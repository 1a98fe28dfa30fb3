#include "tests/crash/world.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/base/strings.h"
#include "daemon/image/built_image.h"
#include "proto/codec.h"
#include "tests/crash/world_content.h"
#include "tests/support/temp.h"

namespace ingot::test {

namespace {

constexpr std::int64_t kAge = 86'400'000;

}  // namespace

// The order is the daemon's.
Result<std::unique_ptr<World>> World::open(const fs::path& state) {
  std::unique_ptr<World> world(new World(state));
  INGOT_CHECK(sys::make_directories(state, 0755));
  INGOT_TRY(world->database_, db::Database::open(state / "ingot.db"));
  INGOT_TRY(auto blobs, store::BlobStore::open(state / "blobs"));
  world->blobs_.emplace(std::move(blobs));
  INGOT_TRY(auto contexts, store::ContextStore::open(state / "contexts", *world->blobs_, {}));
  world->contexts_.emplace(std::move(contexts));
  INGOT_TRY(auto snapshots, store::SnapshotStore::open(state / "snapshots", *world->database_));
  world->snapshots_.emplace(std::move(snapshots));
  INGOT_CHECK(world->snapshots_->remove_unreferenced());
  world->sweeper_.emplace(*world->database_, *world->blobs_, *world->contexts_, store::Sweeper::Settings{kAge, kAge},
                          world->clock_);
  world->collector_.emplace(*world->snapshots_, *world->database_, 0);
  world->steps_.emplace(*world->database_, *world->snapshots_);
  world->images_.emplace(*world->database_, *world->snapshots_);
  world->layers_.emplace(*world->database_, *world->blobs_, *world->snapshots_);
  world->saved_.emplace(*world->database_, *world->blobs_);
  jobs::QueueSettings settings;
  settings.workers = 1;
  INGOT_TRY(world->queue_, jobs::JobQueue::open(*world->database_, state / "logs", settings, base::system_clock()));
  INGOT_CHECK(world->blobs_->ledger().count());
  world->queue_->start([raw = world.get()](jobs::JobRun& run) { return raw->run(run); });
  return world;
}

World::~World() {
  queue_.reset();  // its jobs use all the rest
}

Result<store::Lease> World::step(int number) {
  INGOT_TRY(auto known, steps_->find(key_of(number)));
  if (known) return std::move(*known);
  store::Lease below;
  if (number > 0) {
    INGOT_TRY(below, step(number / 2));
  }
  INGOT_TRY(auto pending, snapshots_->begin(number > 0 ? std::optional(below.id()) : std::nullopt));
  for (const auto& [name, text] : files_of_step(number)) {
    const fs::path file = pending.upper() / name;
    INGOT_CHECK(sys::make_directories(file.parent_path()));
    INGOT_TRY(auto fd, sys::open_file(file, O_WRONLY | O_CREAT | O_EXCL));
    INGOT_CHECK(sys::write_all(fd.get(), text));
  }
  return snapshots_->commit(std::move(pending), [&](store::SnapshotId id) {
    return steps_->record(key_of(number), base::Digest::of("operation"), {std::to_string(below.id())}, id, {1, 1});
  });
}

Status World::make_step(int number) {
  INGOT_CHECK(step(number));
  return {};
}

Result<bool> World::hold_step(int number) {
  INGOT_TRY(auto lease, steps_->find(key_of(number)));
  if (!lease) return false;
  std::lock_guard lock(mutex_);
  held_[number] = std::move(*lease);
  return true;
}

void World::release_steps() {
  std::lock_guard lock(mutex_);
  held_.clear();
}

Status World::keep_image(int number, int step_number) {
  INGOT_TRY(auto lease, step(step_number));
  image::Image image;
  image.reference = "image:" + std::to_string(number);
  image.snapshot = lease.id();
  image.source = std::to_string(step_number);
  image.digest = "none";
  INGOT_CHECK(images_->keep(std::to_string(number), image, image::KeptImages::Conflict::last_wins));
  return {};
}

Status World::offer_context(int number) {
  const auto manifest = manifest_of(number);
  while (true) {
    INGOT_TRY(auto status, contexts_->offer(manifest));
    if (status.missing.empty()) return {};
    for (int file : {number, number + 1, number + 2}) {
      const std::string text = content("source " + std::to_string(file));
      const auto digest = base::Digest::of(text);
      if (std::find(status.missing.begin(), status.missing.end(), digest.str()) == status.missing.end()) continue;
      INGOT_TRY(auto writer, blobs_->begin(store::BlobFor::upload));
      INGOT_CHECK(writer.write(text));
      INGOT_CHECK(writer.commit(store::Durability::later, digest));
    }
  }
}

Result<proto::Artifact> World::save(const std::string& name, const std::string& text) {
  INGOT_TRY(auto writer, blobs_->begin());
  INGOT_CHECK(writer.write(text));
  proto::Artifact artifact;
  artifact.name = name;
  artifact.size = writer.size();
  artifact.media_type = "text/plain";
  INGOT_TRY(auto digest, writer.commit(store::Durability::now));
  artifact.digest = digest.str();
  return artifact;
}

Result<proto::Artifact> World::save_image(int job, int step_number) {
  INGOT_TRY(auto lease, step(step_number));
  graph::SaveImage save;
  save.name = "image of job " + std::to_string(job);
  const auto how = job % 2 == 0 ? proto::Compression::zstd : proto::Compression::none;
  image::ImageRequest request{save, lease.id(), 1, {how, 1'000'000}, {}};
  INGOT_TRY(auto built, image::build_image(request, *layers_, *blobs_, {}));
  proto::Artifact artifact;
  artifact.name = built.name;
  artifact.digest = built.digest.str();
  artifact.size = built.manifest_size;
  artifact.media_type = image::kManifestType;
  return artifact;
}

Status World::run(jobs::JobRun& run) {
  const auto hold = blobs_->ledger().hold();
  const int number = std::stoi(run.job.spec.args.at("N"));
  run.log.append_output("1", "+t", "stdout", "begun\n");
  std::vector<proto::Artifact> artifacts;
  for (const auto& name : artifacts_of(number)) {
    INGOT_TRY(auto artifact, save(name, content(name)));
    artifacts.push_back(std::move(artifact));
  }
  if (const auto image = image_of(number)) {
    INGOT_TRY(auto lease, step(*image));
    const std::string name = "of step " + std::to_string(*image);
    INGOT_TRY(auto saved, saved_->get(lease.id(), save_request(*image), [&]() -> Result<std::vector<proto::Artifact>> {
      INGOT_TRY(auto made, save(name, content(name)));
      return std::vector{std::move(made)};
    }));
    artifacts.push_back(saved.at(0));
    INGOT_TRY(auto made, save_image(number, *image));
    artifacts.push_back(std::move(made));
  }
  jobs::StepRecord record;
  record.number = 1;
  record.target = "+t";
  record.text = "RUN x";
  record.how = "executed";
  record.parts = {{"command", std::to_string(number % 3)}};
  INGOT_CHECK(run.record_steps({record}));
  return run.add_artifacts(std::move(artifacts));
}

Result<std::string> World::run_job(int number, std::chrono::milliseconds patience) {
  INGOT_CHECK(offer_context(context_of(number)));
  proto::JobSpec spec;
  spec.context = context_digest(context_of(number));
  spec.target = "+t";
  spec.args["N"] = std::to_string(number);
  spec.idempotency_key = std::to_string(number);
  INGOT_TRY(auto job, queue_->submit(spec, {0, 0, "me"}));
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    INGOT_TRY(bool over, is_over(job.id));
    if (over) break;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return job.id;
}

Result<bool> World::is_over(const std::string& id) {
  INGOT_TRY(auto job, queue_->find(id));
  return proto::is_final(job.state) && !queue_->live_log(id);
}

Status World::remove_artifact(int number, int artifact) {
  INGOT_TRY(auto all, jobs());
  const auto job = all.find(number);
  if (job == all.end()) return {};
  INGOT_CHECK(queue_->remove_artifact(job->second.id, std::to_string(artifact)));
  return {};
}

Status World::retire(std::uint64_t jobs_left) {
  jobs::RetentionPolicy policy;
  policy.max_jobs = jobs_left;
  INGOT_CHECK(queue_->retire(policy));
  return {};
}

Status World::prune(std::uint64_t keep_bytes) {
  INGOT_CHECK(collector_->prune({keep_bytes, 0, false}));
  return {};
}

Result<store::Swept> World::sweep() {
  clock_.ahead_ms += 3 * kAge;
  return sweeper_->sweep();
}

Status World::compare_steps(int one, int other) {
  INGOT_TRY(auto first, steps_->find(key_of(one)));
  INGOT_TRY(auto second, steps_->find(key_of(other)));
  if (first && second) INGOT_CHECK(snapshots_->same_content(first->id(), second->id()));
  return {};
}

Status World::sync() {
  return snapshots_->sync_now();
}

Result<std::set<int>> World::steps() {
  std::set<int> numbers;
  for (int number = 0; number < kSteps; ++number) {
    INGOT_TRY(auto lease, steps_->find(key_of(number)));
    if (lease) numbers.insert(number);
  }
  return numbers;
}

Result<std::set<int>> World::images() {
  std::set<int> numbers;
  for (int number = 0; number < kImages; ++number) {
    INGOT_TRY(auto image, images_->find(std::to_string(number)));
    if (image) numbers.insert(number);
  }
  return numbers;
}

Result<std::set<int>> World::contexts() {
  std::set<std::string> digests;
  INGOT_CHECK(
      contexts_->read_all([&](const base::Digest& digest, const std::string&) { digests.insert(digest.str()); }));
  std::set<int> numbers;
  for (int number = 0; number < kSteps; ++number) {
    if (digests.contains(context_digest(number))) numbers.insert(number);
  }
  return numbers;
}

Result<std::map<int, proto::Job>> World::jobs() {
  jobs::JobFilter filter;
  filter.limit = 100'000;
  INGOT_TRY(auto list, queue_->list(filter));
  std::map<int, proto::Job> numbers;
  for (auto& job : list) {
    const int number = std::stoi(job.spec.args.at("N"));
    if (!numbers.emplace(number, std::move(job)).second) {
      return base::fail(ErrorKind::internal, fmt::format("job {} is there twice", number));
    }
  }
  return numbers;
}

}  // namespace ingot::test
