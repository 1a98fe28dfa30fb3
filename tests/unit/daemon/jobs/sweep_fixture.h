#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/daemon/jobs/queue_fixture.h"

namespace ingot::jobs::fixture {

const proto::Submitter kMe{1000, 1000, "me"};
const proto::Submitter kOther{2000, 2000, "other"};

// A sweep whose cells are targets +c1, +c2, ...
inline proto::SweepSpec sweep_of(int cells, const std::string& name = "nightly") {
  proto::SweepSpec made;
  made.name = name;
  made.axes = {"V"};
  made.job = spec("");
  made.job.project = "/p";
  for (int i = 1; i <= cells; ++i) {
    const std::string number = std::to_string(i);
    made.cells.push_back({number, "+c" + number, {{"V", number}}, {{"V", number}}, 0, 0});
  }
  return made;
}

class SweepFixture : public QueueFixture {
 protected:
  void TearDown() override { queue.reset(); }  // before what its jobs write to
  proto::Sweep ended(const std::string& id) {
    for (int i = 0; i < 2000; ++i) {
      auto sweep = queue->find_sweep(id, true);
      if (sweep && proto::is_final(sweep->state)) return *sweep;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "sweep " << id << " did not end";
    return {};
  }
  proto::Sweep submit_sweep(const proto::SweepSpec& what, const proto::Submitter& who = kMe) {
    auto sweep = queue->submit_sweep(what, who, {});
    EXPECT_TRUE(sweep) << (sweep ? "" : sweep.error().message);
    return sweep.value_or(proto::Sweep{});
  }
  // Runs everything, and remembers in which order.
  RunJob recorder(const std::set<std::string>& failing = {}) {
    return [this, failing](JobRun& run) -> Status {
      const std::lock_guard lock(mutex);
      order.push_back(run.job.spec.target);
      if (failing.contains(run.job.spec.target)) return base::fail(ErrorKind::step_failed, "it broke");
      return {};
    };
  }
  std::mutex mutex;
  std::vector<std::string> order;
};

}  // namespace ingot::jobs::fixture
