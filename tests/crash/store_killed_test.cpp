#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "daemon/app/fsck.h"
#include "tests/crash/journal.h"
#include "tests/crash/model.h"
#include "tests/crash/worker.h"
#include "tests/support/temp.h"

// Random work on all that a daemon keeps, killed at a random call that changes the disk: what was acknowledged is there
// and whole, the counters are what the disk has, and nothing is left over. Both numbers of a failure replay it:
//
//   INGOT_MODEL_SEED=N crash_tests --gtest_filter='StoreKilled.*'      INGOT_MODEL_SECONDS=600: for longer
namespace ingot::test {
namespace {

using testing::IsEmpty;

class StoreKilled : public testing::Test {
 protected:
  static long from_environment(const char* name, long otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atol(text);
  }
  void check(const std::vector<std::string>& problems) { EXPECT_THAT(problems, IsEmpty()); }

  // A process that works until it is killed, or for a while.
  void let(const std::function<void(Worker&)>& work) {
    journal.clear();
    const pid_t child = fork();
    if (child == 0) {
      Worker worker(state, seed_of_worker, model.next_job, journal);
      work(worker);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ASSERT_TRUE(was_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
    killed += was_killed ? 1 : 0;
    model.read(journal.text());
    model.held.clear();
  }
  // As the next daemon finds it.
  void look() {
    auto opened = World::open(state);
    ASSERT_TRUE(opened) << proto::render(opened.error());
    World& world = **opened;
    auto jobs = world.jobs();
    ASSERT_TRUE(jobs) << jobs.error().message;
    // What was begun is ended, and can be asked for again.
    for (const auto& [number, job] : *jobs) {
      auto again = world.run_job(number);
      ASSERT_TRUE(again) << proto::render(again.error());
      EXPECT_EQ(*again, job.id);
      model.jobs.insert(number);
      model.contexts.insert(World::context_of(number));
    }
    auto steps = *world.steps();
    for (int number : steps) check(world.problems_of_step(number));
    for (int number : model.steps) EXPECT_TRUE(steps.contains(number)) << "step " << number << " is lost";
    auto images = *world.images();
    for (int number : model.images) EXPECT_TRUE(images.contains(number)) << "image " << number << " is lost";
    auto contexts = *world.contexts();
    for (int number : contexts) check(world.problems_of_context(number));
    for (int number : model.contexts) EXPECT_TRUE(contexts.contains(number)) << "context " << number << " is lost";
    for (int number : model.jobs) check(world.problems_of_job(number, model.removed[number]));
    model.steps = *world.steps();
    model.images = images;

    ASSERT_TRUE(world.retire(10));
    auto kept = *world.jobs();
    std::erase_if(model.jobs, [&](int number) { return !kept.contains(number); });
    EXPECT_EQ(model.jobs.size(), kept.size());
    model.keep_contexts_of_jobs();
    auto swept = world.sweep();
    ASSERT_TRUE(swept) << swept.error().message;
    check(world.problems_of_disk());
    for (int number : model.jobs) check(world.problems_of_job(number, model.removed[number]));
    for (int number : model.steps) check(world.problems_of_step(number));
  }
  void check_state() {
    std::vector<std::string> said;
    auto result = app::fsck(state, app::FsckDepth::full, [&](const auto& line) { said.push_back(line); });
    ASSERT_TRUE(result) << proto::render(result.error());
    check(said);
  }

  void expect_all_well() {
    ASSERT_NO_FATAL_FAILURE(look());
    ASSERT_NO_FATAL_FAILURE(check_state());
    if (HasFailure()) std::fprintf(stderr, "%s", journal.text().c_str());
  }
  static unsigned seed() {
    return static_cast<unsigned>(from_environment("INGOT_MODEL_SEED", std::random_device()() % 1'000'000));
  }
  bool over() const {
    return std::chrono::steady_clock::now() - begun > std::chrono::seconds(from_environment("INGOT_MODEL_SECONDS", 5));
  }

  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  TempDirectory directory;
  fs::path state = directory / "state";
  unsigned seed_of_worker = 0;
  Journal journal;
  Model model;
  int killed = 0;
};

TEST_F(StoreKilled, what_was_acknowledged_is_there_and_nothing_else) {
  const unsigned first = seed();
  std::mt19937 seeds(first);
  int rounds = 0;
  while (!over() && !HasFailure()) {
    SCOPED_TRACE(fmt::format("INGOT_MODEL_SEED={}, round {}", first, ++rounds));
    seed_of_worker = seeds();
    ASSERT_NO_FATAL_FAILURE(let([](Worker& worker) { worker.work(); }));
    ASSERT_NO_FATAL_FAILURE(expect_all_well());
  }
  std::printf("seed %u: killed %d times in %d rounds, %d jobs\n", first, killed, rounds, model.next_job - 1);
  EXPECT_GT(killed, 0);
}

// At every single call, if there is the time for it.
TEST_F(StoreKilled, at_any_call_of_the_same_work) {
  ASSERT_NO_FATAL_FAILURE(let([](Worker& worker) { worker.do_all(1'000'000, faults::Moment::before); }));
  ASSERT_NO_FATAL_FAILURE(expect_all_well());
  const std::string said = journal.text();
  const long calls = std::atol(said.substr(said.rfind("calls ") + 6).c_str());
  ASSERT_GT(calls, 100);
  std::vector<long> order(static_cast<std::size_t>(2 * calls));
  std::iota(order.begin(), order.end(), 0);
  const unsigned first = seed();
  std::shuffle(order.begin(), order.end(), std::mt19937(first));
  int rounds = 0;
  for (const long number : order) {
    if (over() || HasFailure()) break;
    const auto moment = number % 2 == 0 ? faults::Moment::before : faults::Moment::amidst;
    SCOPED_TRACE(fmt::format("INGOT_MODEL_SEED={}, round {}: killed {} call {}", first, ++rounds,
                             number % 2 == 0 ? "before" : "amidst", 1 + number / 2));
    fs::remove_all(state);
    model = {};
    ASSERT_NO_FATAL_FAILURE(let([&](Worker& worker) { worker.do_all(1 + number / 2, moment); }));
    ASSERT_NO_FATAL_FAILURE(expect_all_well());
  }
  std::printf("seed %u: killed at %d of %zu moments\n", first, rounds, order.size());
}

}  // namespace
}  // namespace ingot::test
