#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <thread>

#include "daemon/image/images.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

// Many who ask for one image: a bootstrap whose end the test decides stands for a fetch.
namespace ingot::image {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A program that runs until it is let go, or canceled.
class SlowProgram : public sys::ProcessRunner {
 public:
  Result<sys::ExitStatus> run(const sys::Command& command, const sys::OutputSink& sink,
                              const sys::CancelToken& cancel) override {
    std::unique_lock lock(mutex_);
    ++starts_;
    sink(sys::Stream::err, "I: it runs\n");
    changed_.notify_all();
    sys::ExitStatus status;
    while (!let_go_ && !cancel.canceled()) changed_.wait_for(lock, std::chrono::milliseconds(5));
    status.canceled = !let_go_;
    if (status.canceled) ++canceled_;
    status.code = code_;
    if (status.ok()) fs::create_directories(fs::path(command.argv.back()) / "etc");
    changed_.notify_all();
    return status;
  }
  void wait_for_start(int number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return starts_ >= number; });
  }
  void let_go(int code = 0) {
    std::lock_guard lock(mutex_);
    code_ = code;
    let_go_ = true;
    changed_.notify_all();
  }
  int starts() {
    std::lock_guard lock(mutex_);
    return starts_;
  }
  void wait_for_cancel() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return canceled_ > 0; });
  }
  int canceled() {
    std::lock_guard lock(mutex_);
    return canceled_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool let_go_ = false;
  int starts_ = 0;
  int canceled_ = 0;
  int code_ = 0;
};

class Flights : public testing::Test {
 protected:
  Flights()
      : database(*db::Database::open(directory / "x.db")),
        snapshots(*store::SnapshotStore::open(directory / "s", *database)),
        blobs(*store::BlobStore::open(directory / "b")) {
    fs::create_directory(directory / "work");
    images.emplace(rules(), directory / "work", blobs, snapshots, *database, slow);
  }
  static std::vector<SourceRule> rules(const std::string& variant = "minbase") {
    return {{"debian:*", "bootstrap", {{"variant", variant}}}};
  }
  // Asks on a thread of its own.
  struct Waiter {
    sys::CancelSource cancel;
    std::vector<std::string> lines;  // read it after join()
    std::atomic<int> told = 0;
    std::optional<Result<Image>> result;
    std::thread thread;
    void join() { thread.join(); }
    void wait_until_told(int count) const {
      while (told < count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  std::unique_ptr<Waiter> ask(const std::string& name = "debian:12") {
    auto waiter = std::make_unique<Waiter>();
    waiter->thread = std::thread([this, name, raw = waiter.get()] {
      const auto tell = [raw](const std::string& line) {
        raw->lines.push_back(line);
        ++raw->told;
      };
      raw->result = images->resolve(name, tell, raw->cancel.token());
    });
    return waiter;
  }
  Result<Image> resolve(const std::string& name) {
    return images->resolve(name, [](const std::string&) {}, {});
  }
  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  store::SnapshotStore snapshots;
  store::BlobStore blobs;
  SlowProgram slow;
  std::optional<Images> images;
};

TEST_F(Flights, all_who_ask_share_one_fetch_and_each_is_told_all_of_its_progress) {
  auto first = ask();
  slow.wait_for_start(1);
  std::vector<std::unique_ptr<Waiter>> others;
  for (int i = 0; i < 5; ++i) others.push_back(ask(i % 2 == 0 ? "debian:12" : "docker.io/library/debian:12"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  slow.let_go();
  first->join();
  ASSERT_TRUE(*first->result) << proto::render(first->result->error());
  EXPECT_THAT(first->lines, ElementsAre("bootstrapping bookworm from its package mirror", "it runs"));
  for (auto& other : others) {
    other->join();
    ASSERT_TRUE(*other->result);
    EXPECT_EQ((*other->result)->snapshot, (*first->result)->snapshot);
  }
  EXPECT_EQ(slow.starts(), 1);
}

TEST_F(Flights, one_that_leaves_does_not_end_it_for_the_others) {
  auto leaves = ask();
  slow.wait_for_start(1);
  auto stays = ask();
  stays->wait_until_told(2);
  leaves->cancel.cancel();
  leaves->join();
  EXPECT_EQ(leaves->result->error().kind, ErrorKind::canceled);
  slow.let_go();
  stays->join();
  EXPECT_TRUE(*stays->result);
  EXPECT_EQ(slow.canceled(), 0);
}

TEST_F(Flights, the_last_that_leaves_ends_it_and_the_next_starts_anew) {
  auto one = ask();
  slow.wait_for_start(1);
  auto two = ask();
  two->wait_until_told(2);
  one->cancel.cancel();
  two->cancel.cancel();
  one->join();
  two->join();
  slow.wait_for_cancel();
  auto three = ask();
  slow.wait_for_start(2);
  slow.let_go();
  three->join();
  EXPECT_TRUE(*three->result);
  EXPECT_EQ(slow.canceled(), 1);
}

TEST_F(Flights, the_end_of_the_daemon_ends_them) {
  auto waiter = ask();
  slow.wait_for_start(1);
  waiter->cancel.cancel();
  waiter->join();
  images.reset();
  EXPECT_EQ(slow.canceled(), 1);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

TEST_F(Flights, a_failure_is_everybodys_and_is_tried_again_later) {
  auto one = ask();
  slow.wait_for_start(1);
  slow.let_go(3);
  one->join();
  ASSERT_FALSE(*one->result);
  EXPECT_EQ(
      proto::render(one->result->error()),
      "cannot get image \"debian:12\"\n  bootstrap (rule \"debian:*\"): mmdebstrap of bookworm ended with status 3: "
      "I: it runs; check that the host reaches its package mirror, or give the rule an option mirror\nhint: map "
      "the name to a source in `images` of the daemon's configuration, then send it SIGHUP");
  slow.let_go(0);
  EXPECT_TRUE(resolve("debian:12"));
  EXPECT_EQ(slow.starts(), 2);
}

TEST_F(Flights, an_image_is_found_again_until_its_rule_changes) {
  slow.let_go();
  const auto first = resolve("debian:12")->snapshot;
  images.emplace(rules(), directory / "work", blobs, snapshots, *database, slow);
  EXPECT_EQ(resolve("debian:12")->snapshot, first) << "after a restart";
  EXPECT_EQ(slow.starts(), 1);
  images->set_rules(rules("apt"));
  EXPECT_NE(resolve("debian:12")->snapshot, first);
  EXPECT_EQ(slow.starts(), 2);
}

TEST_F(Flights, one_whose_files_are_gone_is_fetched_anew) {
  slow.let_go();
  const auto first = resolve("debian:12")->snapshot;
  fs::remove_all(snapshots.layers(first)->front());
  auto again = resolve("debian:12");
  ASSERT_TRUE(again) << proto::render(again.error());
  EXPECT_NE(again->snapshot, first);
  EXPECT_TRUE(snapshots.layers(again->snapshot));
}

TEST_F(Flights, what_the_second_source_gave_is_found_without_asking_the_first) {
  slow.let_go();
  images->set_rules({{"*", "oci-layout", {{"path", directory / "nowhere"}}}, rules().front()});
  const auto first = resolve("debian:12");
  ASSERT_TRUE(first) << proto::render(first.error());
  EXPECT_EQ(first->source, "bootstrap bookworm");
  EXPECT_EQ(resolve("debian:12")->snapshot, first->snapshot);
  EXPECT_EQ(slow.starts(), 1);
}

TEST_F(Flights, scratch_is_empty_and_nothing_is_run_for_it) {
  auto scratch = resolve("scratch");
  ASSERT_TRUE(scratch) << proto::render(scratch.error());
  EXPECT_TRUE(fs::is_empty(snapshots.layers(scratch->snapshot)->front()));
  EXPECT_EQ(resolve("scratch")->snapshot, scratch->snapshot);
  EXPECT_EQ(slow.starts(), 0);
}

TEST_F(Flights, a_name_that_no_rule_matches_or_that_is_none_is_said) {
  EXPECT_EQ(
      proto::render(resolve("alpine").error()),
      "cannot get image \"alpine:latest\"\n  no rule of `images` matches the name\nhint: map the name to a source "
      "in `images` of the daemon's configuration, then send it SIGHUP");
  EXPECT_EQ(resolve("UPPER").error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace ingot::image
