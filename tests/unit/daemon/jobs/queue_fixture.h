#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "daemon/jobs/job_queue.h"
#include "daemon/sys/in_memory.h"
#include "daemon/sys/temp_dir.h"
#include "tests/support/temp.h"

namespace ingot::jobs::fixture {

using proto::JobState;

inline proto::JobSpec spec(const std::string& target, int priority = 0) {
  proto::JobSpec made;
  made.context = "sha256:" + std::string(64, 'a');
  made.target = target;
  made.priority = priority;
  return made;
}

class QueueFixture : public testing::Test {
 protected:
  void open(unsigned workers = 1, base::Clock& clock = base::system_clock()) {
    queue.reset();
    database.reset();
    database = std::move(*db::Database::open(directory / "x.db"));
    QueueSettings settings;
    settings.workers = workers;
    if (memory) settings.secrets = memory->path() / "secrets/x";
    queue = std::move(*JobQueue::open(*database, directory / "logs", settings, clock));
  }
  std::string submit(const proto::JobSpec& what) { return queue->submit(what, {1000, 1000, "me"})->id; }
  proto::Job wait(const std::string& id) {
    for (int i = 0; i < 1000; ++i) {
      auto job = queue->find(id);
      // The row comes first, the log's end right behind it.
      if (job && proto::is_final(job->state) && !queue->live_log(id)) return *job;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "job " << id << " did not end";
    return {};
  }
  test::TempDirectory directory;
  // Where secrets may lie; false: there is no such place here.
  bool have_secrets() {
    if (!sys::is_in_memory("/dev/shm")) return false;
    memory.emplace(*sys::TempDir::create("/dev/shm", "ingot-test-"));
    return true;
  }
  bool keeps_secrets_of(const std::string& id) const { return fs::exists(memory->path() / "secrets/x" / id); }
  std::optional<sys::TempDir> memory;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<JobQueue> queue;
};

}  // namespace ingot::jobs::fixture
