#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <list>
#include <map>
#include <random>
#include <thread>

#include "daemon/solver/build.h"
#include "tests/support/temp.h"

// Builds of many people at once over one solver, a real store and a real database: by chance they are canceled, their
// steps fail, and they are tried again.
namespace ingot::solver {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

// Runs any command for a moment. Sees that no two run the same one, on the same snapshot, at a time while both are
// wanted, and counts.
class ChancySandbox : public sandbox::Sandbox {
 public:
  Result<sandbox::StepOutcome> run(const sandbox::StepSpec& step, const sys::OutputSink& sink,
                                   const sys::CancelToken& cancel) override {
    const std::string command = step.argv.at(2);
    const std::string what = command + " on " + step.layers.back().filename().string();
    const auto self = begin(what, cancel);
    sink(sys::Stream::out, command);
    sandbox::StepOutcome outcome;
    for (unsigned left = chance(20); left > 0 && !cancel.canceled(); --left) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    if (cancel.canceled())
      outcome.status.canceled = true;
    else if (chance(4) == 0)
      outcome.status.code = 3;
    else
      std::ofstream(step.upper / "out") << command;
    end(what, self, outcome);
    return outcome;
  }
  std::vector<proto::HostCheck> checks() override { return {}; }

  // How often each came to an end that somebody waited for. What was given up in its last moments may be done again:
  // who wanted it meanwhile began anew.
  std::map<std::string, long> succeeded() {
    std::lock_guard lock(mutex_);
    std::map<std::string, long> times;
    for (const auto& [what, tokens] : succeeded_) {
      times[what] = std::count_if(tokens.begin(), tokens.end(), [](const auto& token) { return !token.canceled(); });
    }
    return times;
  }
  std::atomic<unsigned> runs = 0;
  std::atomic<unsigned> failures = 0;
  std::atomic<unsigned> cancels = 0;
  std::atomic<unsigned> overlaps = 0;

 private:
  using Tokens = std::list<sys::CancelToken>;

  // Two that are wanted at the same time are told by what is asked last: this one's own switch. Had it been given up
  // before, another could have begun.
  Tokens::iterator begin(const std::string& what, const sys::CancelToken& cancel) {
    ++runs;
    std::lock_guard lock(mutex_);
    Tokens& others = running_[what];
    const bool wanted = std::any_of(others.begin(), others.end(), [](const auto& other) { return !other.canceled(); });
    if (wanted && !cancel.canceled()) ++overlaps;
    return others.insert(others.end(), cancel);
  }
  void end(const std::string& what, Tokens::iterator self, const sandbox::StepOutcome& outcome) {
    std::lock_guard lock(mutex_);
    Tokens ended;
    ended.splice(ended.end(), running_[what], self);
    if (outcome.status.canceled)
      ++cancels;
    else if (outcome.status.code != 0)
      ++failures;
    else
      succeeded_[what].splice(succeeded_[what].end(), ended);
  }
  unsigned chance(unsigned below) {
    std::lock_guard lock(mutex_);
    return static_cast<unsigned>(random_() % below);
  }

  std::mutex mutex_;
  std::mt19937 random_{7};
  std::map<std::string, Tokens> running_;
  std::map<std::string, Tokens> succeeded_;
};

// Holds the build to what an observer may expect, and cancels it at some step by chance.
class ChancyObserver : public Observer {
 public:
  ChancyObserver(sys::CancelSource* cancel, std::size_t at) : cancel_(cancel), at_(at) {}
  void step_started(const std::string& step, const graph::Step&, bool) override {
    std::lock_guard lock(mutex_);
    if (++started_[step] > 1) ++wrong_;
    if (cancel_ != nullptr && started_.size() == at_) cancel_->cancel();
  }
  void output(const std::string& step, const graph::Step& what, sys::Stream, std::string_view bytes) override {
    std::lock_guard lock(mutex_);
    if (bytes != std::get<graph::ExecOp>(what.operation).command || ended_.contains(step)) ++wrong_;
  }
  void step_ended(const std::string& step, const graph::Step&, const StepEnd&) override {
    std::lock_guard lock(mutex_);
    if (++ended_[step] > 1 || started_[step] != 1) ++wrong_;
  }
  void note(const std::string&) override {}
  int wrong() {
    std::lock_guard lock(mutex_);
    return wrong_;
  }
  std::size_t ended() {
    std::lock_guard lock(mutex_);
    return ended_.size();
  }

 private:
  sys::CancelSource* cancel_;
  const std::size_t at_;
  std::mutex mutex_;
  std::map<std::string, int> started_;
  std::map<std::string, int> ended_;
  int wrong_ = 0;
};

// Some leaves of a tree of steps, with all that these stand on. Equal places of equal trees are equal steps.
class Tree {
 public:
  explicit Tree(int number) : number_(number) {
    graph::Step scratch;
    scratch.operation = graph::ImageOp{"scratch"};
    graph.steps.push_back(scratch);
  }
  void add_leaf(std::mt19937& random) {
    constexpr int kDepth = 4;
    std::string place = std::to_string(number_);
    graph::StepId parent = 0;
    for (int depth = 0; depth < kDepth; ++depth) {
      place += depth == 0 ? "." : random() % 2 == 0 ? "l" : "r";
      const auto known = by_place_.find(place);
      if (known != by_place_.end()) {
        parent = known->second;
        continue;
      }
      graph::Step step;
      graph::ExecOp op;
      op.command = place;
      step.operation = op;
      step.parent = parent;
      graph.steps.push_back(step);
      parent = by_place_[place] = graph.steps.size() - 1;
    }
  }
  graph::Graph graph;

 private:
  const int number_;
  std::map<std::string, graph::StepId> by_place_;
};

class BuildStorm : public testing::Test {
 protected:
  struct Tally {
    std::atomic<int> good = 0;
    std::atomic<int> canceled = 0;
    std::atomic<int> failed = 0;
  };

  BuildStorm() { fs::create_directory(directory / "work"); }

  // One build of one person; true when it need not be tried again.
  bool build(const graph::Graph& graph, const std::string& who, std::mt19937& random, Tally& tally) {
    sys::CancelSource cancel;
    const bool may_cancel = random() % 3 == 0;
    ChancyObserver observer(may_cancel ? &cancel : nullptr, 1 + random() % graph.steps.size());
    bool done = false;
    {
      Build made(solver, {graph, std::make_shared<const Context>(proto::ContextManifest{}), {}, cancel.token(), who},
                 observer);
      const Status ended = made.run();
      if (ended) {
        ++tally.good;
        done = true;
        EXPECT_EQ(observer.ended(), graph.steps.size());
        for (graph::StepId id = 1; id < graph.steps.size(); ++id) check(made, graph, id);
      } else if (ended.error().kind == ErrorKind::canceled) {
        ++tally.canceled;
        EXPECT_TRUE(cancel.token().canceled()) << "canceled, and nobody asked for it";
        done = random() % 2 == 0;
      } else {
        ++tally.failed;
        EXPECT_EQ(ended.error().kind, ErrorKind::step_failed) << proto::render(ended.error());
      }
    }
    EXPECT_EQ(observer.wrong(), 0);
    return done;
  }
  // A step that some other one needed has its file system only when it was looked for.
  void check(Build& made, const graph::Graph& graph, graph::StepId id) {
    const bool is_leaf = std::none_of(graph.steps.begin(), graph.steps.end(),
                                      [&](const graph::Step& step) { return step.parent == id; });
    if (!is_leaf) return;
    const auto layers = snapshots.layers(made.result(id).id());
    ASSERT_TRUE(layers);
    EXPECT_EQ(test::slurp(layers->back() / "out"), std::get<graph::ExecOp>(graph.steps[id].operation).command);
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database = *db::Database::open(directory / "x.db");
  store::BlobStore blobs = *store::BlobStore::open(directory / "blobs");
  store::SnapshotStore snapshots = *store::SnapshotStore::open(directory / "s", *database);
  store::Collector collector{snapshots, *database, 0};
  image::Images images{{}, directory / "work", blobs, snapshots, *database, sys::system_processes()};
  ChancySandbox sandbox;
  Solver solver{{*database, blobs, snapshots, images, sandbox, collector, base::system_clock(), directory / "caches"},
                Slots::Capacity{6, 0}};
};

TEST_F(BuildStorm, whatever_is_canceled_or_fails_no_step_succeeds_twice_and_nobody_waits_in_vain) {
  constexpr int kPeople = 8;
  constexpr int kBuilds = 250;
  constexpr int kOfOneTree = 12;  // builds of a person, before all go on to steps that nobody has run
  Tally tally;
  std::vector<std::thread> people;
  for (int person = 0; person < kPeople; ++person) {
    people.emplace_back([&, person] {
      std::mt19937 random(static_cast<unsigned>(person));
      for (int i = 0; i < kBuilds; ++i) {
        Tree tree(i / kOfOneTree);
        for (auto leaves = 1 + random() % 3; leaves > 0; --leaves) tree.add_leaf(random);
        while (!build(tree.graph, std::to_string(person), random, tally)) continue;
      }
    });
  }
  for (auto& person : people) person.join();

  EXPECT_EQ(sandbox.overlaps, 0U) << "of one step, two that were wanted ran at the same time";
  for (const auto& [what, times] : sandbox.succeeded()) EXPECT_LE(times, 1) << what;
  EXPECT_EQ(solver.counters().executed, sandbox.runs);
  EXPECT_EQ(solver.counters().failed, sandbox.failures);
  // All of it happened, or the rest says nothing.
  for (const auto& [what, count] : std::map<std::string, int>{{"good", tally.good},
                                                              {"canceled", tally.canceled},
                                                              {"failed", tally.failed},
                                                              {"failures", static_cast<int>(sandbox.failures)},
                                                              {"cancels", static_cast<int>(sandbox.cancels)},
                                                              {"merged", static_cast<int>(solver.counters().merged)}}) {
    EXPECT_GT(count, 10) << what;
  }

  EXPECT_EQ(solver.slots().running + solver.slots().waiting, 0U);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
  // The thread of a step that nobody wants any more lets go of what it stood on when it ends, a moment later.
  for (int i = 0; i < 5000 && !snapshots.leased().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(snapshots.leased(), IsEmpty());
  EXPECT_TRUE(collector.prune({}));
  EXPECT_EQ(collector.usage()->layer_bytes, 0U) << "nothing holds what nobody uses";
}

}  // namespace
}  // namespace ingot::solver
