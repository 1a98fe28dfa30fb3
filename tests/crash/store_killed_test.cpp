#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
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
    const Status done = work_on();
    if (!done) journal_.add("failed " + done.error().message);
    _exit(0);  // nothing is closed in an orderly way here either
  }

 private:
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
  Status do_something() {
    const int number = pick(World::kSteps);
    switch (pick(14)) {
      case 0:
      case 1:
        return say("step " + std::to_string(number), [&] { return world_->make_step(number); });
      case 2:
      case 3:
      case 4: {
        const int job = next_job_++;
        return say("job " + std::to_string(job), [&]() -> Status {
          INGOT_CHECK(world_->run_job(job));
          return {};
        });
      }
      case 5: {
        const int job = pick(next_job_);
        const int artifact = 1 + pick(World::image_of(job) ? 4 : 2);
        return say(fmt::format("remove {} {}", job, artifact), [&] { return world_->remove_artifact(job, artifact); });
      }
      case 6: {
        const int image = pick(World::kImages);
        return say(fmt::format("image {} {}", image, number), [&] { return world_->keep_image(image, number); });
      }
      case 7:
        return say("context " + std::to_string(number), [&] { return world_->offer_context(number); });
      case 8:
        return say("hold " + std::to_string(number), [&]() -> Status {
          INGOT_TRY(bool held, world_->hold_step(number));
          journal_.add(held ? "held" : "not");
          return {};
        });
      case 9:
        return say("release", [&]() -> Status {
          world_->release_steps();
          return {};
        });
      case 10:
        return say("prune", [&]() -> Status {
          INGOT_CHECK(world_->prune(static_cast<std::uint64_t>(pick(300'000))));
          return say_what_is_left();
        });
      case 11:
        return say("sweep", [&]() -> Status {
          INGOT_CHECK(world_->sweep());
          return {};
        });
      case 12:
        return say("retire", [&]() -> Status {
          INGOT_CHECK(world_->retire(static_cast<std::uint64_t>(2 + pick(6))));
          return say_what_is_left();
        });
      default:
        if (pick(3) == 0) {
          return say("restart", [&]() -> Status {
            world_.reset();
            INGOT_TRY(world_, World::open(state_));
            return {};
          });
        }
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
      } else if (word != "not") {
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
  void let_work(unsigned seed) {
    journal.clear();
    const pid_t child = fork();
    if (child == 0) Worker(directory / "state", seed, model.next_job, journal).work();
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
    auto opened = World::open(directory / "state");
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
    auto result = app::fsck(directory / "state", app::FsckDepth::full, [&](const auto& line) { said.push_back(line); });
    ASSERT_TRUE(result) << proto::render(result.error());
    check(said);
  }

  TempDirectory directory;
  Journal journal;
  Model model;
  int killed = 0;
};

TEST_F(StoreKilled, what_was_acknowledged_is_there_and_nothing_else) {
  const auto seed = static_cast<unsigned>(from_environment("INGOT_MODEL_SEED", std::random_device()() % 1'000'000));
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(from_environment("INGOT_MODEL_SECONDS", 5));
  std::mt19937 seeds(seed);
  int rounds = 0;
  while (std::chrono::steady_clock::now() < until && !HasFailure()) {
    SCOPED_TRACE(fmt::format("INGOT_MODEL_SEED={}, round {}", seed, ++rounds));
    ASSERT_NO_FATAL_FAILURE(let_work(seeds()));
    ASSERT_NO_FATAL_FAILURE(look());
    ASSERT_NO_FATAL_FAILURE(check_state());
    if (HasFailure()) std::fprintf(stderr, "%s", journal.text().c_str());
  }
  std::printf("seed %u: killed %d times in %d rounds, %d jobs\n", seed, killed, rounds, model.next_job - 1);
  EXPECT_GT(killed, 0);
}

}  // namespace
}  // namespace ingot::test
