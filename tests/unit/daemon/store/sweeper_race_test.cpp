#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "daemon/store/sweeper.h"
#include "tests/support/temp.h"

// Jobs, clients and retention at random beside a sweeper that never rests: what something refers to is always there.
namespace ingot::store {
namespace {

constexpr std::int64_t kGrace = 700;  // milliseconds; by far enough for one upload here
constexpr auto kLong = std::chrono::milliseconds(2500);
constexpr int kContents = 60;

class SweeperRace : public testing::Test {
 protected:
  SweeperRace()
      : database(*db::Database::open(directory / "x.db")),
        blobs(*BlobStore::open(directory / "blobs")),
        contexts(*ContextStore::open(directory / "contexts", blobs, {})),
        sweeper(*database, blobs, contexts, {kGrace, kGrace}, base::system_clock()) {
    EXPECT_TRUE(blobs.ledger().count());
  }
  bool over() const { return std::chrono::steady_clock::now() - begun > kLong; }
  Status sql(const std::string& statement, const std::vector<std::string>& parameters = {}) const {
    return database->transaction([&]() -> Status {
      INGOT_TRY(auto prepared, database->prepare(statement));
      int index = 0;
      for (const auto& parameter : parameters) prepared.bind(++index, parameter);
      return prepared.run();
    });
  }
  static std::string content(int number) { return "content " + std::to_string(number); }
  // One of the few that everybody wants at this time: equal ones meet, and after a while nobody comes back to them.
  std::string some_content(std::mt19937& random) const {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    return content(static_cast<int>(elapsed.count() / 100 + random() % 6) % kContents);
  }
  void insert_job(const std::string& id, const std::string& context) const {
    EXPECT_TRUE(
        sql("INSERT INTO jobs (id, state, priority, spec, submitter_uid, submitter_gid, submitter_user, "
            "created_ms) VALUES (?, 'queued', 0, ?, 0, 0, 'me', 1)",
            {id, "{\"context\":\"" + context + "\"}"}));
  }
  // A job saves some content, works for a while, and records it.
  void run_jobs(unsigned seed) {
    std::mt19937 random(seed);
    for (int number = 0; !over(); ++number) {
      const std::string id = "job-number-" + std::to_string(seed) + "-" + std::to_string(number);
      insert_job(id, "none");
      auto hold = blobs.ledger().hold();
      auto writer = blobs.begin();
      ASSERT_TRUE(writer->write(some_content(random)));
      const auto digest = writer->commit(Durability::later);
      ASSERT_TRUE(digest);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
      ASSERT_TRUE(
          sql("INSERT INTO artifacts (job, number, name, local_path, digest, size, media_type, mode) SELECT "
              "seq, 1, 'x', '', ?, 9, 't', 1 FROM jobs WHERE id = ?",
              {digest->str(), id}));
      hold.reset();
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
      // Nobody has removed it.
      if (!blobs.has(*digest)) ++lost;
      ASSERT_TRUE(sql("UPDATE artifacts SET removed_ms = 1 WHERE job = (SELECT seq FROM jobs WHERE id = ?)", {id}));
      ++done;
    }
  }
  // A client sends what is missing and submits a job; the job is forgotten some time later.
  void send_contexts(unsigned seed) {
    std::mt19937 random(seed);
    for (int number = 0; !over(); ++number) {
      proto::ContextManifest manifest;
      for (int file = 0; file < 3; ++file) {
        const std::string text = some_content(random);
        manifest.entries.push_back({"f" + std::to_string(file), proto::EntryType::file, 0644, text.size(), 0,
                                    base::Digest::of(text).str(), ""});
      }
      proto::ContextStatus status;
      do {
        status = *contexts.offer(manifest);
        for (const auto& digest : status.missing) send(digest);
      } while (!status.missing.empty());
      const auto digest = *base::Digest::parse(status.digest);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
      if (!contexts.load(digest)) ++lost;
      const std::string id = "sent-number-" + std::to_string(seed) + "-" + std::to_string(number);
      insert_job(id, status.digest);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
      if (!contexts.load(digest)) ++lost;
      for (const auto& entry : manifest.entries) {
        if (!blobs.has(*base::Digest::parse(entry.digest))) ++lost;
      }
      ASSERT_TRUE(sql("DELETE FROM jobs WHERE id = ?", {id}));
      ++done;
    }
  }
  void send(const std::string& digest) const {
    for (int number = 0; number < kContents; ++number) {
      if (base::Digest::of(content(number)).str() != digest) continue;
      auto writer = blobs.begin(BlobFor::upload);
      ASSERT_TRUE(writer->write(content(number)));
      ASSERT_TRUE(writer->commit(Durability::later));
    }
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  BlobStore blobs;
  ContextStore contexts;
  Sweeper sweeper;
  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::atomic<int> done{0};
  std::atomic<int> lost{0};
};

TEST_F(SweeperRace, what_is_referred_to_is_there_and_what_is_not_goes) {
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed) threads.emplace_back([this, seed] { run_jobs(seed); });
  for (unsigned seed = 4; seed <= 5; ++seed) threads.emplace_back([this, seed] { send_contexts(seed); });
  threads.emplace_back([this] {
    while (!over()) EXPECT_TRUE(sweeper.sweep());
  });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(done, 50);
  EXPECT_GT(sweeper.total().blobs, 0U) << "it had work to do";
  // In the end nobody wants anything.
  std::this_thread::sleep_for(std::chrono::milliseconds(2 * kGrace));
  while (sweeper.sweep()->blobs > 0) continue;
  EXPECT_EQ(contexts.totals().count, 0U);
  EXPECT_EQ(blobs.ledger().totals().count, 0U);
  EXPECT_EQ(blobs.ledger().totals().bytes, 0U);
  EXPECT_TRUE(blobs.list()->empty());
}

}  // namespace
}  // namespace ingot::store
