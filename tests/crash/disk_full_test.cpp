#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "daemon/app/fsck.h"
#include "tests/crash/faults.h"
#include "tests/crash/world.h"
#include "tests/support/temp.h"

// The disk fills up at a random call that needs room, for one call or until the end: who is refused hears that it was
// the disk and what to do, nothing half-written counts as whole, and with room again all goes on as if nothing had
// been.
//
//   INGOT_MODEL_SEED=N crash_tests --gtest_filter='DiskFull.*'      INGOT_MODEL_SECONDS=600: for longer
namespace ingot::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kPatience = std::chrono::milliseconds(30);

class DiskFull : public testing::Test {
 protected:
  void TearDown() override { faults::end(); }
  static long from_environment(const char* name, long otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atol(text);
  }
  void check(const std::vector<std::string>& problems) { EXPECT_THAT(problems, IsEmpty()); }
  static void expect_the_disk(const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::no_space) << proto::render(error);
    EXPECT_THAT(error.message, testing::AnyOf(HasSubstr("No space left on device"), HasSubstr("disk is full")));
    EXPECT_THAT(error.hint, HasSubstr("free some space"));
  }
  template <typename T>
  void expect_ok_or_full(const Result<T>& result) {
    if (result) return;
    ++refused;
    expect_the_disk(result.error());
  }
  // Everything once; `job` and the two behind it are new.
  void do_all(World& world, int job, bool full) {
    const auto patience = full ? kPatience : std::chrono::milliseconds(20'000);
    expect_ok_or_full(world.make_step(5));
    expect_ok_or_full(world.keep_image(0, 4));
    expect_ok_or_full(world.offer_context(9));
    for (int number : {job, job + 1, job + 2}) {
      auto id = world.run_job(number, patience);
      expect_ok_or_full(id);
      if (id) jobs.emplace(number, *id);
    }
    expect_ok_or_full(world.compare_steps(4, 5));
    expect_ok_or_full(world.sync());
    const auto removed = world.remove_artifact(job, 1);
    // A job that waits for room has not ended, and one that found none may have saved nothing.
    const bool has_none = !removed && (removed.error().kind == ErrorKind::conflict ||  //
                                       removed.error().kind == ErrorKind::not_found);
    if (!full || !has_none) expect_ok_or_full(removed);
    expect_ok_or_full(world.prune(60'000));
    expect_ok_or_full(world.sweep());
    expect_ok_or_full(world.retire(2));
  }
  // No job that was taken is without an end, and what it says of itself is so.
  void expect_jobs_ended(World& world) {
    for (const auto& [number, id] : jobs) {
      bool over = false;
      for (int i = 0; i < 10'000 && !over; ++i) {
        auto known = world.is_over(id);
        over = !known || *known;  // it may have been retired
        if (!over) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      EXPECT_TRUE(over) << "job " << number << " has no end";
    }
    auto rows = world.jobs();
    ASSERT_TRUE(rows);
    for (const auto& [number, row] : *rows) {
      if (row.state == proto::JobState::succeeded) {
        check(world.problems_of_job(number, {1}));
        continue;
      }
      ASSERT_TRUE(row.error) << proto::name_of(row.state);
      expect_the_disk(*row.error);
    }
  }
  void fill_at(long call, long calls) {
    TempDirectory directory;
    jobs.clear();
    {
      auto opened = World::open(directory / "state");
      ASSERT_TRUE(opened) << proto::render(opened.error());
      World& world = **opened;
      do_all(world, 3, false);
      jobs.clear();
      faults::fill_disk_at(call, calls);
      do_all(world, 12, true);
      faults::end();
      all_refused += refused;
      EXPECT_TRUE(world.run_job(20)) << "the queue looks at what waits when something comes, or some seconds later";
      expect_jobs_ended(world);
      // As if nothing had been.
      refused = 0;
      do_all(world, 30, false);
      EXPECT_EQ(refused, 0);
      for (int number : {31, 32}) check(world.problems_of_job(number, {}));
      const std::set<int> steps = *world.steps();
      for (int number : steps) check(world.problems_of_step(number));
      EXPECT_TRUE(world.sync());
      EXPECT_TRUE(world.sweep());
      check(world.problems_of_disk());
    }
    {
      auto opened = World::open(directory / "state");
      ASSERT_TRUE(opened) << proto::render(opened.error());
      check((*opened)->problems_of_disk());
    }
    std::vector<std::string> said;
    auto checked =
        app::fsck(directory / "state", app::FsckDepth::full, [&](const auto& line) { said.push_back(line); });
    ASSERT_TRUE(checked) << proto::render(checked.error());
    check(said);
  }

  std::map<int, std::string> jobs;
  int refused = 0;
  int all_refused = 0;
};

TEST_F(DiskFull, at_any_call_it_is_said_and_does_no_harm) {
  const auto seed = static_cast<unsigned>(from_environment("INGOT_MODEL_SEED", std::random_device()() % 1'000'000));
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(from_environment("INGOT_MODEL_SECONDS", 5));
  std::mt19937 random(seed);
  int rounds = 0;
  // A slow machine has done only few by then, and a few may all have been too late to refuse anything.
  constexpr int kEnough = 100;
  while ((std::chrono::steady_clock::now() < until || (all_refused == 0 && rounds < kEnough)) && !HasFailure()) {
    const auto call = static_cast<long>(1 + random() % 1000);
    const long calls = random() % 3 == 0 ? 1 : 1'000'000;
    SCOPED_TRACE(fmt::format("INGOT_MODEL_SEED={}, round {}: call {}, {} of them", seed, ++rounds, call, calls));
    ASSERT_NO_FATAL_FAILURE(fill_at(call, calls));
  }
  std::printf("seed %u: filled %d times, %d refused\n", seed, rounds, all_refused);
  EXPECT_GT(all_refused, 0);
}

TEST_F(DiskFull, a_log_says_what_is_not_in_it) {
  TempDirectory directory;
  auto log = *jobs::JobLog::open(directory / "log", 1 << 20, base::system_clock());
  const auto note = [&](const std::string& text) {
    proto::Event event;
    event.text = text;
    log->append(event);
  };
  note("before");
  faults::fill_disk_at(1, 1'000);
  note("one");
  log->append_output("1", "+t", "stdout", "two\nthree\n");
  faults::end();
  note("after");
  log.reset();
  const std::string text = slurp(directory / "log");
  EXPECT_THAT(text, testing::ContainsRegex("before.*\n.*\"seq\":1,.*3 events are missing here: .*No space left on "
                                           "device.*\n.*\"seq\":2,.*after"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(DiskFull, a_start_without_room_is_refused_and_the_next_one_works) {
  TempDirectory directory;
  ASSERT_TRUE((*World::open(directory / "state"))->run_job(3));
  int failed = 0;
  for (long call = 1; call < 60; ++call) {
    faults::fill_disk_at(call, 1'000'000);
    {
      auto opened = World::open(directory / "state");
      if (!opened) expect_the_disk(opened.error());
      failed += opened ? 0 : 1;
    }
    faults::end();
    auto again = World::open(directory / "state");
    ASSERT_TRUE(again) << call << proto::render(again.error());
    check((*again)->problems_of_job(3, {}));
  }
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace ingot::test
