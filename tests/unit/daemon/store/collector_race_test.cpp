#include "daemon/store/collector.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "daemon/store/blobs.h"
#include "daemon/store/contexts.h"
#include "daemon/store/sweeper.h"
#include "proto/image.h"
#include "tests/support/temp.h"

// Jobs at random that find, make and hold layers, and save artifacts and images of them, beside a collector with next
// to no room and a sweeper, neither of which ever rests. INGOT_RACE_SECONDS: for longer.
namespace ingot::store {
namespace {

constexpr int kSteps = 40;
constexpr std::uint64_t kRoom = 200'000;

std::chrono::milliseconds duration() {
  const char* seconds = std::getenv("INGOT_RACE_SECONDS");
  return seconds == nullptr ? std::chrono::milliseconds(2500) : std::chrono::seconds(std::atol(seconds));
}

class CollectorRace : public testing::Test {
 protected:
  CollectorRace()
      : database(*db::Database::open(directory / "x.db")),
        blobs(*BlobStore::open(directory / "blobs")),
        contexts(*ContextStore::open(directory / "contexts", blobs, {})),
        snapshots(*SnapshotStore::open(directory / "snapshots", *database)),
        sweeper(*database, blobs, contexts, {0, 0}, base::system_clock()),
        collector(snapshots, *database, kRoom) {
    EXPECT_TRUE(blobs.ledger().count());
  }
  bool over() const { return std::chrono::steady_clock::now() - begun > duration(); }

  template <typename... Parameters>
  Status sql(const std::string& statement, const Parameters&... parameters) {
    INGOT_TRY(auto prepared, database->prepare(statement));
    int index = 0;
    (prepared.bind(++index, parameters), ...);
    return prepared.run();
  }
  template <typename... Parameters>
  Status change(const std::string& statement, const Parameters&... parameters) {
    return database->transaction([&] { return sql(statement, parameters...); });
  }

  static std::string content(int step) { return "step " + std::to_string(step) + std::string(9000, 'x'); }
  static std::string key(int step) { return "key " + std::to_string(step); }

  // Finding and leasing are one, as for the cache of steps.
  Result<std::optional<Lease>> find(int step) {
    return snapshots.lease([&]() -> Result<std::optional<SnapshotId>> {
      std::optional<SnapshotId> id;
      INGOT_CHECK(database->read([&]() -> Status {
        INGOT_TRY(auto query, database->prepare("SELECT snapshot FROM steps WHERE key = ?"));
        INGOT_TRY(bool found, query.bind(1, key(step)).step());
        if (found) id = query.number(0);
        return {};
      }));
      return id;
    });
  }
  // Step N stands on step N / 2.
  Result<Lease> make(int step) {
    INGOT_TRY(auto known, find(step));
    if (known) {
      ++hits;
      INGOT_CHECK(snapshots.touch({known->id()}));
      return *known;
    }
    Lease below;
    if (step > 0) {
      INGOT_TRY(below, make(step / 2));
    }
    INGOT_TRY(auto pending, snapshots.begin(step > 0 ? std::optional(below.id()) : std::nullopt));
    std::ofstream(pending.upper() / std::to_string(step)) << content(step);
    return snapshots.commit(std::move(pending), [&](SnapshotId id) {
      return sql("INSERT INTO steps VALUES (?1, 'o', '', ?2, ?3, 0, 0) ON CONFLICT (key) DO UPDATE SET snapshot = ?2",
                 key(step), id, std::int64_t{step % 3});
    });
  }
  Status look_at_layers(const Lease& lease, int step) {
    INGOT_TRY(auto layers, snapshots.layers(lease.id()));
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer, step /= 2) {
      if (test::slurp(*layer / std::to_string(step)) != content(step)) {
        return base::fail(ErrorKind::internal, "the files of " + layer->string() + " are gone");
      }
    }
    return {};
  }
  Result<base::Digest> save(const std::string& text) {
    INGOT_TRY(auto writer, blobs.begin());
    INGOT_CHECK(writer.write(text));
    return writer.commit(Durability::later);
  }
  // The layer's blob, found or made, as an image finds or makes it: what has a row is not noted as wanted.
  Result<base::Digest> layer_blob(const Lease& lease, int step) {
    std::string known;
    INGOT_CHECK(database->read([&]() -> Status {
      INGOT_TRY(auto query, database->prepare("SELECT digest FROM layer_blobs WHERE snapshot = ?"));
      INGOT_TRY(bool found, query.bind(1, lease.id()).step());
      if (found) known = query.text(0);
      return {};
    }));
    if (!known.empty()) return base::Digest::parse(known);
    INGOT_TRY(auto digest, save("layer " + std::to_string(step)));
    INGOT_CHECK(change("INSERT OR REPLACE INTO layer_blobs VALUES (?, 'f', ?, 'd', 1, 't')", lease.id(), digest.str()));
    return digest;
  }
  Status whole(const base::Digest& digest, const std::string& what) {
    if (base::Digest::of(test::slurp(blobs.path(digest))) == digest) return {};
    return base::fail(ErrorKind::internal, what + " is gone");
  }

  Status run_job(std::mt19937& random, const std::string& id) {
    const int step = static_cast<int>(random() % kSteps);
    base::Digest layer;
    base::Digest manifest;
    base::Digest artifact;
    {
      const auto hold = blobs.ledger().hold();
      INGOT_CHECK(
          change("INSERT INTO jobs (id, state, priority, spec, submitter_uid, submitter_gid, submitter_user, "
                 "created_ms) VALUES (?, 'queued', 0, '{}', 0, 0, 'me', 1)",
                 id));
      INGOT_TRY(const auto lease, make(step));
      if (random() % 4 == 0) {
        INGOT_CHECK(change("INSERT OR REPLACE INTO images VALUES (?, 'r', 's', ?, '{}', 1, 'd')",
                           std::to_string(random() % 3), lease.id()));
      }
      for (auto looks = random() % 4; looks > 0; --looks) {
        INGOT_CHECK(look_at_layers(lease, step));
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 4));
      }
      INGOT_TRY(layer, layer_blob(lease, step));
      INGOT_TRY(artifact, save("artifact " + std::to_string(random() % 20)));
      INGOT_TRY(manifest, save(fmt::format("{{\"layers\":[{{\"digest\":\"{}\"}}],\"of\":\"{}\"}}", layer.str(), id)));
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 4));
      INGOT_CHECK(look_at_layers(lease, step));
      const std::string insert =
          "INSERT INTO artifacts (job, number, name, local_path, digest, size, media_type, mode) SELECT seq, ?, 'x', "
          "'', ?, 1, ?, 1 FROM jobs WHERE id = ?";
      INGOT_CHECK(change(insert, std::int64_t{1}, manifest.str(), std::string(proto::kManifestMediaType), id));
      INGOT_CHECK(change(insert, std::int64_t{2}, artifact.str(), std::string("text/plain"), id));
    }
    // Its layers may go from now on; what it handed out may not.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 10));
    INGOT_CHECK(whole(layer, "a layer of the image"));
    INGOT_CHECK(whole(manifest, "the image"));
    INGOT_CHECK(whole(artifact, "the artifact"));
    return change("UPDATE artifacts SET removed_ms = 1 WHERE job = (SELECT seq FROM jobs WHERE id = ?)", id);
  }
  void run_jobs(unsigned seed) {
    std::mt19937 random(seed);
    for (int number = 0; !over(); ++number) {
      const Status done = run_job(random, fmt::format("job-number-{}-{}", seed, number));
      if (!done) {
        ADD_FAILURE() << done.error().message;
        return;
      }
      ++jobs;
    }
  }
  // By itself, by hand, and for who asks for room.
  void collect() {
    std::mt19937 random(99);
    while (!over()) {
      collector.wake();
      const auto what = random() % 3;
      EXPECT_TRUE(what != 1 || collector.prune({random() % kRoom, 0, false}));
      EXPECT_TRUE(what != 2 || collector.make_room(random() % kRoom));
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 3));
    }
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  BlobStore blobs;
  ContextStore contexts;
  SnapshotStore snapshots;
  Sweeper sweeper;
  Collector collector;
  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::atomic<int> jobs{0};
  std::atomic<int> hits{0};
};

TEST_F(CollectorRace, what_a_job_holds_or_handed_out_is_there_and_whole) {
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back([this, seed] { run_jobs(seed); });
  threads.emplace_back([this] { collect(); });
  threads.emplace_back([this] {
    while (!over()) EXPECT_TRUE(sweeper.sweep());
  });
  for (auto& thread : threads) thread.join();
  EXPECT_GT(jobs, 10);
  EXPECT_GT(hits, 0);
  EXPECT_GT(collector.total_pruned().layers, 10U) << "it had work to do";
  EXPECT_GT(sweeper.total().blobs, 10U) << "it had work to do";
  // In the end nobody wants anything.
  EXPECT_TRUE(collector.prune({0, 0, false}));
  EXPECT_EQ(collector.usage()->layers, 0U);
  snapshots.reclaim_now();
  for (const auto& entry : fs::directory_iterator(directory / "snapshots")) {
    EXPECT_TRUE(fs::is_empty(entry)) << entry.path();
  }
  while (sweeper.sweep()->blobs > 0) continue;
  EXPECT_EQ(blobs.ledger().totals().count, 0U);
  EXPECT_TRUE(blobs.list()->empty());
}

}  // namespace
}  // namespace ingot::store
