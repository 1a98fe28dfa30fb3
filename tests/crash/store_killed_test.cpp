#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <sstream>

#include "daemon/app/fsck.h"
#include "tests/crash/faults.h"
#include "tests/crash/world.h"
#include "tests/support/temp.h"

// Random work on all that a daemon keeps, killed at a random call that changes the disk: what was acknowledged is there
// and whole, the counters are what the disk has, and nothing is left over. Both numbers of a failure replay it:
//
//   INGOT_MODEL_SEED=N crash_tests --gtest_filter='StoreKilled.*'      INGOT_MODEL_SECONDS=600: for longer
namespace ingot::test {
namespace {

using testing::IsEmpty;

// What the process that is killed says of its work, in memory that it shares.
class Journal {
 public:
  Journal()
      : text_(static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Journal() { munmap(text_, kSize); }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  void clear() { std::memset(text_, 0, kSize); }
  void add(const std::string& line) {
    const std::size_t at = std::strlen(text_);
    if (at + line.size() + 2 > kSize) std::abort();
    std::memcpy(text_ + at, (line + "\n").c_str(), line.size() + 2);
  }
  std::string text() const { return text_; }

 private:
  static constexpr std::size_t kSize = 1 << 20;
  char* text_;
};

std::string words(const std::set<int>& numbers) {
  std::string text;
  for (int number : numbers) text += " " + std::to_string(number);
  return text;
}

// The process that is killed: one thing after the other, each said before and after it.
class Worker {
 public:
  Worker(const fs::path& state, unsigned seed, int first_job, Journal& journal)
      : state_(state), random_(seed), next_job_(first_job), journal_(journal) {}

  void work() {
    until_last_ = pick(25);
    if (until_last_ == 0) arm();  // in the start
    end(work_on());
  }
  // Always the same, a little of all that there is.
  void do_all(long killed_at, faults::Moment moment) {
    faults::crash_at(killed_at, moment);
    const Status done = do_one_of_each();
    journal_.add("calls " + std::to_string(faults::calls()));
    end(done);
  }

 private:
  // Nothing is closed in an orderly way here either.
  [[noreturn]] void end(const Status& done) {
    if (!done) journal_.add("failed " + done.error().message);
    _exit(0);
  }
  Status do_one_of_each() {
    INGOT_TRY(world_, World::open(state_));
    for (int job : {3, 6, 8}) INGOT_CHECK(run_job(job));
    INGOT_CHECK(keep_image(0, 5));
    INGOT_CHECK(offer_context(9));
    INGOT_CHECK(remove_artifact(3, 1));
    INGOT_CHECK(world_->compare_steps(2, 3));
    INGOT_CHECK(world_->sync());
    INGOT_CHECK(prune(20'000));
    INGOT_CHECK(retire(1));
    INGOT_CHECK(sweep());
    return run_job(12);
  }
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  Status work_on() {
    INGOT_TRY(world_, World::open(state_));
    for (int i = 0; i < 40; ++i) INGOT_CHECK(do_something());
    return {};
  }
  // In this operation or soon after: also what takes few calls has its turn.
  void arm() { faults::crash_at(1 + pick(pick(2) == 0 ? 30 : 400), static_cast<faults::Moment>(pick(3))); }
  Status say(const std::string& what, const std::function<Status()>& act) {
    if (until_last_-- == 1) arm();
    journal_.add("begin " + what);
    INGOT_CHECK(act());
    journal_.add("done");
    return {};
  }
  // What a collection left.
  Status say_what_is_left() {
    INGOT_TRY(auto steps, world_->steps());
    INGOT_TRY(auto images, world_->images());
    INGOT_TRY(auto jobs, world_->jobs());
    std::set<int> numbers;
    for (const auto& [number, job] : jobs) numbers.insert(number);
    journal_.add("steps" + words(steps));
    journal_.add("images" + words(images));
    journal_.add("jobs" + words(numbers));
    return {};
  }
  Status make_step(int number) {
    return say("step " + std::to_string(number), [&] { return world_->make_step(number); });
  }
  Status run_job(int number) {
    return say("job " + std::to_string(number), [&]() -> Status {
      INGOT_CHECK(world_->run_job(number));
      return {};
    });
  }
  Status remove_artifact(int job, int artifact) {
    return say(fmt::format("remove {} {}", job, artifact), [&] { return world_->remove_artifact(job, artifact); });
  }
  Status keep_image(int number, int step) {
    return say(fmt::format("image {} {}", number, step), [&] { return world_->keep_image(number, step); });
  }
  Status offer_context(int number) {
    return say("context " + std::to_string(number), [&] { return world_->offer_context(number); });
  }
  Status hold_step(int number) {
    return say("hold " + std::to_string(number), [&]() -> Status {
      INGOT_TRY(bool held, world_->hold_step(number));
      journal_.add(held ? "held" : "not");
      return {};
    });
  }
  Status release_steps() {
    return say("release", [&]() -> Status {
      world_->release_steps();
      return {};
    });
  }
  Status prune(int keep_bytes) {
    return say("prune", [&]() -> Status {
      INGOT_CHECK(world_->prune(static_cast<std::uint64_t>(keep_bytes)));
      return say_what_is_left();
    });
  }
  Status sweep() {
    return say("sweep", [&]() -> Status {
      INGOT_CHECK(world_->sweep());
      return {};
    });
  }
  Status retire(int jobs_left) {
    return say("retire", [&]() -> Status {
      INGOT_CHECK(world_->retire(static_cast<std::uint64_t>(jobs_left)));
      return say_what_is_left();
    });
  }
  Status restart() {
    return say("restart", [&]() -> Status {
      world_.reset();
      INGOT_TRY(world_, World::open(state_));
      return {};
    });
  }
  Status do_something() {
    const int number = pick(World::kSteps);
    const int job = pick(next_job_);
    switch (pick(14)) {
      case 0:
      case 1:
        return make_step(number);
      case 2:
      case 3:
      case 4:
        return run_job(next_job_++);
      case 5:
        return remove_artifact(job, 1 + pick(World::image_of(job) ? 4 : 2));
      case 6:
        return keep_image(pick(World::kImages), number);
      case 7:
        return offer_context(number);
      case 8:
        return hold_step(number);
      case 9:
        return release_steps();
      case 10:
        return prune(pick(300'000));
      case 11:
        return sweep();
      case 12:
        return retire(2 + pick(6));
      default:
        if (pick(3) == 0) return restart();
        INGOT_CHECK(world_->compare_steps(number, pick(World::kSteps)));
        return world_->sync();
    }
  }

  const fs::path state_;
  std::mt19937 random_;
  int next_job_;
  int until_last_ = 0;  // operations; the last one is where it is killed
  Journal& journal_;
  std::unique_ptr<World> world_;
};

// What has to be there, by what was acknowledged.
struct Model {
  std::set<int> steps;
  std::set<int> images;
  std::set<int> contexts;
  std::set<int> jobs;
  std::map<int, std::set<int>> removed;  // artifacts that may be gone
  std::set<int> held;
  int next_job = 1;

  void know_step(int number) {
    for (; number > 0; number /= 2) steps.insert(number);
    steps.insert(0);
  }
  // Everything that may be gone when a collection has begun.
  void may_lose_layers() {
    std::set<int> sure;
    for (int number : held) {
      for (; number > 0; number /= 2) sure.insert(number);
      sure.insert(0);
    }
    std::erase_if(steps, [&](int number) { return !sure.contains(number); });
    images.clear();
  }
  void keep_contexts_of_jobs() {
    contexts.clear();
    for (int job : jobs) contexts.insert(World::context_of(job));
  }

  // Told once an operation was begun, and once more when it was done.
  void begin(const std::string& what, std::istringstream& in) {
    int number = 0;
    int second = 0;
    in >> number >> second;
    if (what == "job") next_job = std::max(next_job, number + 1);
    if (what == "remove") removed[number].insert(second);
    if (what == "prune") may_lose_layers();
    if (what == "sweep") keep_contexts_of_jobs();
    if (what == "retire") jobs.clear();
    if (what == "release" || what == "restart") held.clear();
  }
  void done(const std::string& what, std::istringstream& in) {
    int number = 0;
    int second = 0;
    in >> number >> second;
    if (what == "step") know_step(number);
    if (what == "context") contexts.insert(number);
    if (what == "image") {
      images.insert(number);
      know_step(second);
    }
    if (what != "job") return;
    jobs.insert(number);
    contexts.insert(World::context_of(number));
    if (const auto image = World::image_of(number)) know_step(*image);
  }
  void left(const std::string& what, std::istringstream& in) {
    std::set<int>& there = what == "steps" ? steps : what == "images" ? images : jobs;
    std::set<int> must = std::move(there);
    there.clear();
    for (int number = 0; in >> number;) there.insert(number);
    for (int number : must) EXPECT_TRUE(there.contains(number)) << what << ": " << number << " was not to go";
  }
  void read(const std::string& journal) {
    std::istringstream lines(journal);
    std::string begun;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream in(line);
      std::string word;
      in >> word;
      if (word == "begin") {
        begun = line.substr(6);
        std::istringstream rest(begun);
        rest >> word;
        begin(word, rest);
      } else if (word == "done" || word == "held") {
        std::istringstream rest(begun);
        std::string what;
        rest >> what;
        int number = 0;
        if (word == "done") {
          done(what, rest);
        } else if (rest >> number) {
          held.insert(number);
        }
      } else if (word == "failed") {
        ADD_FAILURE() << line;
      } else if (word != "not" && word != "calls") {
        left(word, in);
      }
    }
  }
};

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
