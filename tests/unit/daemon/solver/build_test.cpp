#include "daemon/solver/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "daemon/solver/step_secrets.h"
#include "tests/support/fakes.h"
#include "tests/support/oci_layout.h"
#include "tests/support/temp.h"

// Builds over a real store and real overlays; only what runs in a container is played.
namespace ingot::solver {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Understands: "write FILE TEXT", "count FILE", "print TEXT", "fail", "wait" (until let go).
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
    if (verb == "fail") outcome.status.code = 3;
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
    add((end.cached ? "cached " : end.exit_code == 0 ? "end " : "failed ") + step);
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
    solver.emplace(
        Solver::Parts{*database, *blobs, *snapshots, *images, sandbox, *collector, clock, directory / "caches"},
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

Recipe two_runs(const std::string& first = "write a 1", const std::string& second = "write out 2") {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), first), second);
  return recipe;
}

TEST_F(BuildTest, what_was_built_is_not_built_again) {
  auto first = build(two_runs());
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_THAT(first.commands, ElementsAre("write a 1", "write out 2"));
  EXPECT_EQ(first.text, "2");
  EXPECT_THAT(first.told, ElementsAre("known 1", "cached 1", "start 2", "end 2", "start 3", "end 3"));
  auto again = build(two_runs());
  EXPECT_THAT(again.commands, IsEmpty());
  EXPECT_EQ(again.text, "2");
  EXPECT_THAT(again.told, ElementsAre("known 1", "cached 1", "known 2", "cached 2", "known 3", "cached 3"));
}

TEST_F(BuildTest, a_name_means_what_it_meant_to_the_job_before_also_when_another_job_pulls_a_newer_one) {
  images->set_rules({{"*", "oci-layout", {{"path", directory / "layout"}}}});
  auto write = [&](const std::string& version) {
    test::OciLayout layout(directory / "layout");
    layout.write_index({layout.add_image({test::TarBytes().file("out", version).bytes()}, nlohmann::json::object())});
  };
  auto pull = [&](image::JobImages& job) { ASSERT_TRUE(job.resolve("base:1", [](const std::string&) {}, {})); };
  write("one");
  image::JobImages mine(*images, proto::PullPolicy::missing);
  pull(mine);
  write("two");
  image::JobImages others(*images, proto::PullPolicy::always);
  pull(others);

  Recipe recipe;
  recipe.graph.steps.push_back({graph::ImageOp{"base:1"}, std::nullopt, "+t", "FROM base:1", {}});
  for (const auto& [names, text] : {std::pair(&mine, "one"), std::pair(&others, "two")}) {
    Told told;
    auto what = request(recipe);
    what.images = names;
    Build made(*solver, what, told);
    ASSERT_TRUE(made.run());
    EXPECT_EQ(test::slurp(snapshots->layers(made.result(0).id())->back() / "out"), text);
  }
}

TEST_F(BuildTest, it_is_known_after_a_restart_too) {
  ASSERT_TRUE(build(two_runs()).status);
  solver.reset();
  images.reset();
  collector.reset();
  snapshots.reset();
  database.reset();
  SetUp();
  ASSERT_TRUE(snapshots->remove_unreferenced());
  EXPECT_THAT(build(two_runs()).commands, IsEmpty());
}

TEST_F(BuildTest, only_what_changed_and_what_stands_on_it_is_run) {
  ASSERT_TRUE(build(two_runs()).status);
  EXPECT_THAT(build(two_runs("write a 1", "write out 3")).commands, ElementsAre("write out 3"));
}

TEST_F(BuildTest, a_base_that_is_rebuilt_to_the_same_content_stops_there) {
  ASSERT_TRUE(build(two_runs("write a 1")).status);
  auto ran = build(two_runs("write a 1 by-another-way"));
  EXPECT_THAT(ran.commands, ElementsAre("write a 1 by-another-way"));
  EXPECT_EQ(solver->counters().hit_content, 1U);
  EXPECT_EQ(ran.text, "2");
  EXPECT_THAT(build(two_runs("write a 2")).commands, ElementsAre("write a 2", "write out 2")) << "other content";
}

TEST_F(BuildTest, a_file_that_no_copy_takes_rebuilds_nothing) {
  file("taken", "1");
  file("other", "1");
  Recipe recipe;
  recipe.run(recipe.copy(recipe.scratch(), "taken", "/out"), "print hello");
  auto first = build(recipe);
  EXPECT_THAT(first.commands, ElementsAre("print hello"));
  EXPECT_EQ(first.text, "1");
  file("other", "2");
  EXPECT_THAT(build(recipe).commands, IsEmpty());
  file("taken", "2");
  auto changed = build(recipe);
  EXPECT_THAT(changed.commands, ElementsAre("print hello"));
  EXPECT_EQ(changed.text, "2");
}

TEST_F(BuildTest, of_another_target_only_what_is_copied_counts) {
  const auto recipe = [](const std::string& other) {
    Recipe made;
    const auto source = made.run(made.run(made.scratch(), "write taken 1"), "write other " + other);
    made.run(made.copy_from(made.scratch(), source, "/taken", "/out"), "print hello");
    return made;
  };
  auto first = build(recipe("1"));
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_EQ(first.text, "1");
  auto second = build(recipe("2"));
  EXPECT_THAT(second.commands, ElementsAre("write other 2"));
  EXPECT_EQ(second.text, "1");
}

TEST_F(BuildTest, what_only_a_known_step_stands_on_is_not_even_looked_for) {
  ASSERT_TRUE(build(two_runs()).status);
  const auto before = solver->counters().hit_key.load();
  ASSERT_TRUE(build(two_runs()).status);
  EXPECT_EQ(solver->counters().hit_key, before + 1);
}

TEST_F(BuildTest, no_cache_runs_anew_for_a_step_or_a_job) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "write a 1", true), "write out 2");
  EXPECT_EQ(build(recipe).commands.size(), 2U);
  EXPECT_THAT(build(recipe).commands, ElementsAre("write a 1")) << "to the same content";
  EXPECT_THAT(build(two_runs()).commands, ElementsAre("write a 1"));
  EXPECT_THAT(build(two_runs(), true).commands, ElementsAre("write a 1", "write out 2"));
}

TEST_F(BuildTest, no_cache_of_a_target_runs_its_steps_anew_and_no_others) {
  // +lower: 0..1, +middle: 2..3, +upper: 4
  const auto recipe = [](bool anew, const std::string& wrote = "1") {
    Recipe made;
    const auto lower = made.run(made.scratch(), "write a 1");
    const auto middle = made.run(made.run(lower, "write b " + wrote), "write c 1");
    made.run(middle, "write out 2");
    made.graph.steps[2].anew = made.graph.steps[3].anew = anew;
    return made;
  };
  ASSERT_TRUE(build(recipe(false)).status);
  auto ran = build(recipe(true));
  EXPECT_THAT(ran.commands, ElementsAre("write b 1", "write c 1")) << "nor what stands on it, since it came out equal";
  EXPECT_EQ(ran.text, "2");
  EXPECT_THAT(build(recipe(false)).commands, IsEmpty()) << "and the jobs after that find what it made";

  Told told;
  const Recipe asked = recipe(true);
  Build foreseen(*solver, request(asked), told);
  using enum Build::Foresight;
  EXPECT_THAT(*foreseen.plan(), ElementsAre(cached, cached, runs, runs, may_run));

  Build made(*solver, request(asked), told);
  ASSERT_TRUE(made.run());
  const auto records = made.records();
  for (graph::StepId id = 0; id < records.size(); ++id) {
    EXPECT_EQ(records[id].asked_to_run, id == 2 || id == 3) << id;
    EXPECT_EQ(records[id].stands_on_anew, id >= 3) << id;
  }
}

TEST_F(BuildTest, what_stands_on_a_target_that_came_out_different_is_run) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "count a"), "write out 2");
  ASSERT_TRUE(build(recipe).status);
  recipe.graph.steps[1].anew = true;
  EXPECT_THAT(build(recipe).commands, ElementsAre("count a", "write out 2"));
  recipe.graph.steps[1].anew = false;
  EXPECT_THAT(build(recipe).commands, IsEmpty());
}

TEST_F(BuildTest, what_does_not_stand_on_each_other_runs_side_by_side) {
  Recipe recipe;
  const auto base = recipe.scratch();
  const auto left = recipe.run(base, "wait left");
  const auto right = recipe.run(base, "wait right");
  recipe.copy_from(left, right, "/", "/all");
  std::thread release([&] {
    while (sandbox.count() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    sandbox.let_go = true;
  });
  auto ran = build(recipe);
  release.join();
  EXPECT_TRUE(ran.status) << proto::render(ran.status.error());
  EXPECT_THAT(ran.commands, UnorderedElementsAre("wait left", "wait right"));
  EXPECT_EQ(sandbox.most_at_once(), 2);
}

TEST_F(BuildTest, equal_steps_of_builds_at_the_same_time_run_once_with_their_output_in_every_log) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "print hello"), "wait here");
  constexpr int kBuilds = 8;
  std::vector<std::thread> threads;
  std::vector<Told> told(kBuilds);
  std::atomic<int> good = 0;
  for (int i = 0; i < kBuilds; ++i) {
    threads.emplace_back([&, i] {
      Build made(*solver, request(recipe), told[static_cast<std::size_t>(i)]);
      if (made.run()) ++good;
    });
  }
  while (solver->counters().merged < kBuilds - 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  sandbox.let_go = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, kBuilds);
  EXPECT_THAT(sandbox.take_commands(), ElementsAre("print hello", "wait here"));
  for (auto& one : told) {
    const auto lines = one.lines();
    EXPECT_TRUE(std::count(lines.begin(), lines.end(), "2: hello\n") == 1 ||
                std::count(lines.begin(), lines.end(), "cached 2") == 1)
        << testing::PrintToString(lines);
  }
}

TEST_F(BuildTest, a_build_that_is_canceled_does_not_end_what_another_waits_for) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "wait here");
  Told stays_told;
  std::optional<Status> stays;
  std::thread other([&] {
    BuildRequest wanted = request(recipe);
    wanted.cancel = {};
    Build made(*solver, wanted, stays_told);
    stays = made.run();
  });
  std::optional<Status> leaves;
  std::thread leaving([&] {
    Told told;
    Build made(*solver, request(recipe), told);
    leaves = made.run();
  });
  while (solver->counters().merged < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  cancel.cancel();
  leaving.join();
  EXPECT_EQ(leaves->error().kind, ErrorKind::canceled);
  sandbox.let_go = true;
  other.join();
  EXPECT_TRUE(*stays);
  EXPECT_EQ(sandbox.count(), 1U);
}

TEST_F(BuildTest, the_last_build_that_is_canceled_leaves_nothing_behind) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "wait here");
  std::thread canceling([&] {
    while (sandbox.count() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    cancel.cancel();
  });
  auto ran = build(recipe);
  canceling.join();
  EXPECT_EQ(ran.status.error().kind, ErrorKind::canceled);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

TEST_F(BuildTest, a_failure_has_its_place_and_is_tried_again) {
  Recipe recipe;
  recipe.run(recipe.run(recipe.scratch(), "write a 1"), "fail");
  auto ran = build(recipe);
  ASSERT_FALSE(ran.status);
  EXPECT_EQ(ran.status.error().kind, ErrorKind::step_failed);
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_EQ(ran.told.back(), "failed 3");
  EXPECT_THAT(build(recipe).commands, ElementsAre("fail"));
}

TEST_F(BuildTest, a_file_that_is_missing_is_said_before_anything_runs) {
  Recipe recipe;
  recipe.copy(recipe.run(recipe.scratch(), "write a 1"), "nowhere", "/x");
  auto ran = build(recipe);
  EXPECT_THAT(ran.status.error().message, HasSubstr("\"nowhere\" is not in the project directory"));
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_THAT(ran.commands, IsEmpty());
}

TEST_F(BuildTest, a_result_whose_files_somebody_removed_is_made_anew) {
  ASSERT_TRUE(build(two_runs()).status);
  for (const auto& entry : fs::directory_iterator(directory / "s")) {
    if (fs::exists(entry.path() / "out")) fs::remove_all(entry.path());
  }
  EXPECT_THAT(build(two_runs()).commands, ElementsAre("write out 2"));
}

TEST_F(BuildTest, two_hundred_targets_that_need_each_other_are_found_at_once) {
  const auto lattice = [] {
    Recipe recipe;
    const auto base = recipe.scratch();
    std::vector<graph::StepId> row(10, base);
    for (int depth = 0; depth < 10; ++depth) {
      const std::string name = std::to_string(depth);
      for (std::size_t i = 0; i < row.size(); ++i)
        row[i] = recipe.run(row[i], "write " + name + " " + std::to_string(i));
      auto next = row;
      for (std::size_t i = 0; i < row.size(); ++i) {
        next[i] = recipe.copy_from(row[i], row[(i + 1) % row.size()], "/" + name, "/from/" + name);
      }
      row = next;
    }
    return recipe;
  };
  auto first = build(lattice());
  ASSERT_TRUE(first.status) << proto::render(first.status.error());
  EXPECT_EQ(first.commands.size(), 100U);
  auto again = build(lattice());
  EXPECT_TRUE(again.status);
  EXPECT_THAT(again.commands, IsEmpty());
}

graph::ExecOp secret_op(const std::string& command) {
  graph::ExecOp op;
  op.command = command;
  op.secrets = {{"TOKEN", "token"}};
  return op;
}

class SecretBuilds : public BuildTest {
 protected:
  static std::shared_ptr<const proto::Secrets> secrets(const std::string& token) {
    return std::make_shared<const proto::Secrets>(proto::Secrets{{"token", token}, {"unused", "unused value"}});
  }
  static std::shared_ptr<const base::Mask> mask(const std::string& value) {
    return std::make_shared<const base::Mask>(std::vector<std::string>{value});
  }
  static Recipe recipe_of(const std::string& command) {
    Recipe recipe;
    const auto base = recipe.scratch();
    const auto step = recipe.run(recipe.run(base, "write a 1"), command);
    auto op = secret_op(command);
    graph::Mount file;
    file.kind = graph::Mount::Kind::secret;
    file.target = "/run/secrets/token";
    file.id = "token";
    file.mode = 0440;
    op.mounts = {file};
    recipe.graph.steps[step].operation = op;
    return recipe;
  }
};

TEST_F(SecretBuilds, a_step_gets_what_it_asks_for) {
  const Recipe recipe = recipe_of("write out x");
  auto wanted = request(recipe);
  wanted.secrets = secrets("s3cr3t");
  Told told;
  Build made(*solver, wanted, told);
  ASSERT_TRUE(made.run());
  const auto spec = sandbox.last_spec();
  EXPECT_EQ(spec.secret_env, (graph::Variables{{"TOKEN", "s3cr3t"}}));
  ASSERT_EQ(spec.secret_files.size(), 1U);
  EXPECT_EQ(spec.secret_files[0].value, "s3cr3t");
  EXPECT_EQ(spec.secret_files[0].mode, 0440U);
  EXPECT_TRUE(spec.env.empty());
  EXPECT_TRUE(spec.mounts.empty());
}

TEST_F(SecretBuilds, one_that_is_missing_is_said_before_anything_runs) {
  auto ran = build(recipe_of("write out x"));
  ASSERT_FALSE(ran.status);
  EXPECT_THAT(ran.status.error().message, HasSubstr("needs the secret \"token\""));
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_THAT(ran.commands, IsEmpty());
}

TEST_F(SecretBuilds, one_that_is_lost_is_said_where_it_is_needed_and_nowhere_else) {
  Recipe recipe = recipe_of("write out x");
  auto& op = std::get<graph::ExecOp>(recipe.graph.steps.back().operation);
  op.secrets.clear();
  op.mounts[0].required = false;
  auto wanted = request(recipe);
  wanted.lost_secrets = {"token"};
  Told told;
  auto status = Build(*solver, wanted, told).run();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("\"token\", which is lost"));
  EXPECT_THAT(sandbox.take_commands(), IsEmpty());
  wanted.lost_secrets = {"other"};
  EXPECT_TRUE(Build(*solver, wanted, told).run());
}

TEST_F(SecretBuilds, its_value_is_in_no_key_and_a_known_step_needs_none) {
  const Recipe recipe = recipe_of("write out x");
  for (const char* value : {"first", "second"}) {
    auto wanted = request(recipe);
    wanted.secrets = secrets(value);
    Told told;
    Build made(*solver, wanted, told);
    ASSERT_TRUE(made.run());
  }
  EXPECT_EQ(sandbox.take_commands().size(), 2U) << "nothing of the second";
  EXPECT_TRUE(build(recipe).status);
}

TEST_F(SecretBuilds, a_flight_is_shared_by_equal_values_alone) {
  const Recipe recipe = recipe_of("wait");
  std::vector<std::unique_ptr<Told>> told;
  std::vector<std::unique_ptr<Build>> builds;
  std::vector<std::thread> threads;
  std::vector<Status> results(3);
  int number = 0;
  for (const char* value : {"same", "other", "same"}) {
    auto wanted = request(recipe);
    wanted.secrets = secrets(value);
    told.push_back(std::make_unique<Told>());
    builds.push_back(std::make_unique<Build>(*solver, wanted, *told.back()));
    threads.emplace_back([&results, build = builds.back().get(), number] { results[number] = build->run(); });
    ++number;
  }
  const auto merged = [&] { return solver->counters().merged.load(); };
  for (int i = 0; i < 2000 && (sandbox.count() < 3 || merged() < 3); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(sandbox.count(), 3U) << "the first step once for all, the second once for each value";
  sandbox.let_go = true;
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result);
  builds.clear();
}

TEST_F(SecretBuilds, who_waits_for_the_step_of_another_sees_none_of_its_secrets) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "print s3cr3t");
  auto wanted = request(recipe);
  wanted.secrets = secrets("s3cr3t");
  wanted.mask = mask("s3cr3t");
  Told told;
  Build made(*solver, wanted, told);
  ASSERT_TRUE(made.run());
  EXPECT_THAT(told.lines(), testing::Contains("2: ***\n"));
}

TEST(StepSecrets, a_fingerprint_tells_values_apart_and_says_nothing_of_them) {
  const auto op = secret_op("x");
  const proto::Secrets one{{"token", "value"}};
  EXPECT_EQ(fingerprint_of(one, op), fingerprint_of({{"token", "value"}, {"more", "x"}}, op));
  EXPECT_NE(fingerprint_of(one, op), fingerprint_of({{"token", "valuf"}}, op));
  EXPECT_NE(fingerprint_of(one, op), fingerprint_of({}, op));
  EXPECT_EQ(fingerprint_of(one, op).find("value"), std::string::npos);
  EXPECT_EQ(fingerprint_of(one, graph::ExecOp{}), "");
}

TEST(StepSecrets, what_no_variable_can_hold_is_said) {
  sandbox::StepSpec spec;
  auto given = give_secrets({{"token", std::string("a\0b", 3)}}, secret_op("x"), spec);
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message, HasSubstr("has a zero byte"));
  EXPECT_FALSE(give_secrets({{"token", "\xff\xfe"}}, secret_op("x"), spec)) << "JSON would change it";
  EXPECT_FALSE(give_secrets({{"token", std::string(200'000, 'x')}}, secret_op("x"), spec));
}

TEST(StepSecrets, one_may_be_left_out_where_it_is_not_required) {
  graph::ExecOp op;
  graph::Mount file;
  file.kind = graph::Mount::Kind::secret;
  file.id = "key";
  file.required = false;
  op.mounts = {file};
  EXPECT_EQ(missing_secret({}, op), "");
  sandbox::StepSpec spec;
  ASSERT_TRUE(give_secrets({}, op, spec));
  EXPECT_FALSE(spec.has_secrets());
  op.mounts[0].required = true;
  EXPECT_EQ(missing_secret({}, op), "key");
  op.secrets = {{"A", "other"}};
  EXPECT_EQ(missing_secret({{"key", ""}}, op), "other");
}

}  // namespace
}  // namespace ingot::solver
