#include "daemon/pipeline/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace ingot::pipeline {
namespace {

using Entry = Admission::Entry;

// A disk with so much room, of which nothing can be freed.
class AdmissionTest : public testing::Test {
 protected:
  // Of work that no other job does.
  Needs own(std::uint64_t bytes) { return {{"work " + std::to_string(++works), bytes}}; }
  std::future<Result<Admission::Admitted>> ask(std::uint64_t bytes, const sys::CancelToken& cancel = {}) {
    return std::async(std::launch::async, [this, needs = own(bytes), cancel] {
      return admission.admit(needs, cancel, [this] { ++told; });
    });
  }
  Admission::Admitted admit(const Needs& needs) {
    auto admitted = admission.admit(needs, {}, [this] { ++told; });
    EXPECT_TRUE(admitted);
    return std::move(*admitted);
  }
  Admission::Admitted admit(std::uint64_t bytes) { return admit(own(bytes)); }
  void wait_until_told(unsigned times) const {
    for (int i = 0; i < 3000 && told < times; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_GE(told, times);
  }
  static bool waits(const std::future<Result<Admission::Admitted>>& asked) {
    return asked.wait_for(std::chrono::milliseconds(30)) == std::future_status::timeout;
  }

  std::atomic<std::uint64_t> room{100};
  std::atomic<unsigned> told{0};
  std::atomic<int> works{0};
  Admission admission{[this](std::uint64_t bytes) -> Result<bool> { return bytes <= room; }};
};

TEST_F(AdmissionTest, what_fits_goes_at_once_and_counts_until_its_end) {
  auto first = admit(60);
  EXPECT_EQ(first.entry, Entry::at_once);
  auto asked = ask(60);
  wait_until_told(1);
  EXPECT_TRUE(waits(asked));
  EXPECT_EQ(admission.waiting(), 1U);
  first.place.reset();
  EXPECT_EQ(asked.get()->entry, Entry::after_waiting);
  EXPECT_EQ(admission.waiting(), 0U);
  EXPECT_EQ(told, 1U) << "said once";
}

TEST_F(AdmissionTest, when_nothing_runs_it_goes_whatever_it_needs) {
  EXPECT_EQ(admit(1000).entry, Entry::with_doubts);
}

TEST_F(AdmissionTest, who_steps_aside_does_not_keep_the_next_from_being_alone) {
  auto outer = admit(60);
  auto inner = ask(60);
  wait_until_told(1);
  EXPECT_TRUE(waits(inner));
  auto aside = admission.step_aside();
  auto let_in = inner.get();
  EXPECT_EQ(let_in->entry, Entry::with_doubts) << "what was promised to the first is still its";
  aside.reset();
  let_in->place.reset();
  auto third = ask(60);
  wait_until_told(2);
  EXPECT_TRUE(waits(third)) << "the first runs again";
  outer.place.reset();
  EXPECT_EQ(third.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, what_several_jobs_do_is_needed_once) {
  const Needs equal = {{"base", 50}, {"disk", 40}};
  auto first = admit(equal);
  auto second = admit(equal);
  EXPECT_EQ(second.entry, Entry::at_once);
  EXPECT_EQ(admit({{"base", 50}, {"other disk", 10}}).entry, Entry::at_once);
  EXPECT_EQ(told, 0U);
  first.place.reset();
  auto more = ask(11);
  wait_until_told(1);
  EXPECT_TRUE(waits(more)) << "the second needs as much still";
  second.place.reset();
  EXPECT_EQ(more.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, what_writes_nothing_passes) {
  auto running = admit(60);
  auto large = ask(90);
  wait_until_told(1);
  EXPECT_EQ(admit(0).entry, Entry::at_once);
  EXPECT_TRUE(waits(large));
  running.place.reset();
  EXPECT_EQ(large.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, a_small_one_does_not_pass_a_large_one) {
  auto running = admit(60);
  auto large = ask(90);
  wait_until_told(1);
  auto small = ask(5);
  wait_until_told(2);
  EXPECT_TRUE(waits(small));
  running.place.reset();
  auto first = large.get();
  EXPECT_EQ(small.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, a_cancel_ends_the_wait_and_lets_the_next_come) {
  auto running = admit(60);
  sys::CancelSource cancel;
  auto large = ask(90, cancel.token());
  wait_until_told(1);
  auto small = ask(30);
  wait_until_told(2);
  cancel.cancel();
  auto canceled = large.get();
  ASSERT_FALSE(canceled);
  EXPECT_EQ(canceled.error().kind, ErrorKind::canceled);
  EXPECT_EQ(small.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, room_that_comes_by_itself_is_seen) {
  auto running = admit(60);
  auto asked = ask(60);
  wait_until_told(1);
  room = 200;
  EXPECT_EQ(asked.get()->entry, Entry::after_waiting);
}

TEST_F(AdmissionTest, many_at_once_all_come_in_some_time) {
  std::vector<std::future<void>> jobs;
  std::atomic<std::uint64_t> used{0};
  std::atomic<std::uint64_t> most{0};
  for (unsigned i = 0; i < 40; ++i) {
    jobs.push_back(std::async(std::launch::async, [&, i] {
      const std::uint64_t bytes = 1 + i % 90;
      auto admitted = admission.admit(own(bytes), {}, [] {});
      const std::uint64_t now = used += bytes;
      for (std::uint64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      used -= bytes;
      admitted->place.reset();
    }));
  }
  for (auto& job : jobs) job.get();
  EXPECT_LE(most, 100U);
}

}  // namespace
}  // namespace ingot::pipeline
