#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <random>

#include "tests/crash/faults.h"
#include "tests/crash/journal.h"
#include "tests/crash/world.h"

namespace ingot::test {

inline std::string words(const std::set<int>& numbers) {
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

}  // namespace ingot::test
