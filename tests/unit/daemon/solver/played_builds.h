#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "daemon/solver/build.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

// Builds over a real store and real overlays; only what runs in a container is played.
namespace ingot::solver {

namespace fs = std::filesystem;

// Understands: "write FILE TEXT", "count FILE", "print TEXT", "fail", "wait" (until let go), "speak" (to who is
// behind the first socket) and then "fail" or not.
class PlayedSandbox : public sandbox::Sandbox {
 public:
  Result<sandbox::StepOutcome> run(const sandbox::StepSpec& step, const sys::OutputSink& sink,
                                   const sys::CancelToken& cancel) override {
    const std::string command = step.argv.at(2);
    {
      std::lock_guard lock(mutex_);
      commands_.push_back(command);
      last_ = step;
      ++running_;
      most_ = std::max(most_, running_);
    }
    std::istringstream words(command);
    std::string verb;
    std::string name;
    std::string text;
    words >> verb >> name >> text;
    sandbox::StepOutcome outcome;
    if (verb == "write") std::ofstream(step.upper / name) << text;
    if (verb == "count") std::ofstream(step.upper / name) << ++counted_;
    if (verb == "print") sink(sys::Stream::out, name + "\n");
    if (verb == "speak") step.sockets.at(0).serve(-1, cancel);
    if (verb == "fail" || (verb == "speak" && name == "fail")) outcome.status.code = 3;
    if (verb == "wait") {
      while (!let_go && !cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      outcome.status.canceled = !let_go;
    }
    std::lock_guard lock(mutex_);
    --running_;
    return outcome;
  }
  std::vector<proto::HostCheck> checks() override { return {}; }

  sandbox::StepSpec last_spec() {
    std::lock_guard lock(mutex_);
    return last_;
  }
  std::vector<std::string> take_commands() {
    std::lock_guard lock(mutex_);
    return std::exchange(commands_, {});
  }
  std::size_t count() {
    std::lock_guard lock(mutex_);
    return commands_.size();
  }
  int most_at_once() {
    std::lock_guard lock(mutex_);
    return most_;
  }
  std::atomic<bool> let_go = false;

 private:
  std::mutex mutex_;
  std::atomic<int> counted_ = 0;
  std::vector<std::string> commands_;
  sandbox::StepSpec last_;
  int running_ = 0;
  int most_ = 0;
};

class Told : public Observer {
 public:
  void step_started(const std::string& step, const graph::Step&, bool cached) override {
    add((cached ? "known " : "start ") + step);
  }
  void output(const std::string& step, const graph::Step&, sys::Stream, std::string_view bytes) override {
    add(step + ": " + std::string(bytes));
  }
  void step_ended(const std::string& step, const graph::Step&, const StepEnd& end) override {
    add((end.cached           ? "cached "
         : end.exit_code == 0 ? "end "
                              : "failed with " + std::to_string(end.exit_code) + " ") +
        step);
  }
  void note(const std::string& text) override { add("note " + text); }
  std::vector<std::string> lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void add(std::string line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Writes a graph line by line.
class Recipe {
 public:
  graph::StepId scratch() { return add(graph::ImageOp{"scratch"}, std::nullopt); }
  graph::StepId run(graph::StepId parent, const std::string& command, bool no_cache = false) {
    graph::ExecOp op;
    op.command = command;
    op.no_cache = no_cache;
    return add(op, parent);
  }
  graph::StepId copy(graph::StepId parent, const std::string& source, const std::string& destination) {
    graph::CopyOp op;
    op.sources = {source};
    op.destination = destination;
    return add(op, parent);
  }
  graph::StepId copy_from(graph::StepId parent, graph::StepId from, const std::string& source,
                          const std::string& destination) {
    graph::CopyOp op;
    op.from = from;
    op.sources = {source};
    op.destination = destination;
    return add(op, parent);
  }
  graph::Graph graph;

 private:
  graph::StepId add(graph::Operation operation, std::optional<graph::StepId> parent) {
    graph::Step step;
    step.operation = std::move(operation);
    step.parent = parent;
    step.position.file = "Earthfile";
    step.position.line = static_cast<int>(graph.steps.size()) + 1;
    graph.steps.push_back(std::move(step));
    return graph.steps.size() - 1;
  }
};

class BuildTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounts need root";
    database = *db::Database::open(directory / "x.db");
    blobs.emplace(*store::BlobStore::open(directory / "blobs"));
    snapshots.emplace(*store::SnapshotStore::open(directory / "s", *database));
    fs::create_directory(directory / "work");
    collector.emplace(*snapshots, *database, 0);
    images.emplace(std::vector<image::SourceRule>{}, directory / "work", *blobs, *snapshots, *database,
                   sys::system_processes());
    solver.emplace(Solver::Parts{*database, *blobs, *snapshots, *images, sandbox, *collector, clock,
                                 directory / "caches", nullptr, sys::Binfmt(directory / "binfmt")},
                   Slots::Capacity{4, 0});
  }
  void TearDown() override { snapshots ? snapshots->reclaim_now() : void(); }

  void file(const std::string& path, const std::string& text) {
    auto writer = *blobs->begin();
    ASSERT_TRUE(writer.write(text));
    proto::ManifestEntry entry;
    entry.path = path;
    entry.size = text.size();
    entry.digest = writer.commit(store::Durability::later)->str();
    std::erase_if(manifest.entries, [&](const auto& old) { return old.path == path; });
    manifest.entries.push_back(std::move(entry));
  }
  struct Ran {
    Status status;
    std::vector<std::string> told;
    std::vector<std::string> commands;
    std::string text;  // of the file "/out" in the last step's file system
  };
  BuildRequest request(const Recipe& recipe, bool no_cache = false) {
    return {recipe.graph, std::make_shared<const Context>(manifest), {}, cancel.token(), "me", 0, no_cache};
  }
  Ran build(const Recipe& recipe, bool no_cache = false) {
    Ran ran;
    Told told;
    Build made(*solver, request(recipe, no_cache), told);
    ran.status = made.run();
    ran.told = told.lines();
    ran.commands = sandbox.take_commands();
    if (!ran.status) return ran;
    graph::SaveArtifact save;
    save.from = recipe.graph.steps.size() - 1;
    save.source = "/out";
    save.name = "out";
    save.if_exists = true;
    auto saved = made.save(save);
    EXPECT_TRUE(saved);
    if (saved && !saved->empty()) ran.text = test::slurp(blobs->path(*base::Digest::parse(saved->front().digest)));
    return ran;
  }

  test::TempDirectory directory;
  test::FakeClock clock;
  PlayedSandbox sandbox;
  std::unique_ptr<db::Database> database;
  std::optional<store::BlobStore> blobs;
  std::optional<store::SnapshotStore> snapshots;
  std::optional<store::Collector> collector;
  std::optional<image::Images> images;
  std::optional<Solver> solver;
  proto::ContextManifest manifest;
  sys::CancelSource cancel;
};

inline Recipe two_runs(const std::string& first = "write a 1", const std::string& second = "write out 2") {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), first), second);
  return recipe;
}

}  // namespace ingot::solver
