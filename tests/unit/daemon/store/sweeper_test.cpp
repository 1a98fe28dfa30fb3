#include "daemon/store/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/image.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

constexpr std::int64_t kQuiet = 60'000;
constexpr std::int64_t kAge = 3'600'000;

// Time that moves with the real one, which the files and the ledger have too, and ahead of it when a test says so.
class AheadClock : public base::Clock {
 public:
  std::chrono::steady_clock::time_point now() const override { return base::system_clock().now(); }
  std::int64_t unix_ms() const override { return base::system_clock().unix_ms() + ahead_ms; }
  std::int64_t ahead_ms = 0;
};

class SweeperTest : public testing::Test {
 protected:
  SweeperTest()
      : database(*db::Database::open(directory / "x.db")),
        blobs(*BlobStore::open(directory / "blobs")),
        contexts(*ContextStore::open(directory / "contexts", blobs, {})) {
    EXPECT_TRUE(blobs.ledger().count());
    restart();
  }
  void restart() {
    sweeper = std::make_unique<Sweeper>(*database, blobs, contexts, Sweeper::Settings{kAge, kQuiet}, clock);
  }
  base::Digest put(const std::string& text, BlobFor whom = BlobFor::job) {
    auto writer = blobs.begin(whom);
    EXPECT_TRUE(writer->write(text));
    return *writer->commit(Durability::now);
  }
  void sql(const std::string& statement) {
    auto done = database->transaction([&]() -> Status {
      INGOT_TRY(auto prepared, database->prepare(statement));
      return prepared.run();
    });
    EXPECT_TRUE(done) << statement << (done ? "" : done.error().message);
  }
  void job(int seq, const std::string& context = "none") {
    sql("INSERT INTO jobs (seq, id, state, priority, spec, submitter_uid, submitter_gid, submitter_user, created_ms) "
        "VALUES (" +
        std::to_string(seq) + ", 'job-000" + std::to_string(seq) + "', 'queued', 0, '{\"context\":\"" + context +
        "\"}', 0, 0, 'me', 1)");
  }
  void artifact(int seq, int number, const base::Digest& digest, const std::string& type = "text/plain") {
    sql("INSERT INTO artifacts (job, number, name, local_path, digest, size, media_type, mode) VALUES (" +
        std::to_string(seq) + ", " + std::to_string(number) + ", 'x', '', '" + digest.str() + "', 1, '" + type +
        "', 420)");
  }
  std::string context_of(const base::Digest& file, std::uint64_t size) {
    proto::ContextManifest manifest;
    manifest.entries.push_back({"file", proto::EntryType::file, 0644, size, 0, file.str(), ""});
    auto status = contexts.offer(manifest);
    EXPECT_TRUE(status && status->missing.empty());
    return status->digest;
  }
  Swept sweep(std::int64_t later = 0, bool dry_run = false) {
    clock.ahead_ms += later;
    return *sweeper->sweep(dry_run);
  }

  test::TempDirectory directory;
  AheadClock clock;
  std::unique_ptr<db::Database> database;
  BlobStore blobs;
  ContextStore contexts;
  std::unique_ptr<Sweeper> sweeper;
};

TEST_F(SweeperTest, what_nothing_refers_to_goes_and_the_rest_stays) {
  const auto loose = put("nobody's");
  const auto mine = put("an artifact");
  job(1);
  artifact(1, 1, mine);
  EXPECT_EQ(sweep().blobs, 0U) << "too soon after the start";
  const auto swept = sweep(kQuiet);
  EXPECT_EQ(swept.blobs, 1U);
  EXPECT_EQ(swept.bytes, 4096U);
  EXPECT_FALSE(blobs.has(loose));
  EXPECT_TRUE(blobs.has(mine));
  EXPECT_EQ(blobs.ledger().totals().count, 1U);
  EXPECT_EQ(blobs.ledger().totals().bytes, 4096U);
}

TEST_F(SweeperTest, an_artifact_that_is_removed_lets_its_blob_go_unless_another_has_it) {
  const auto shared = put("shared");
  const auto alone = put("alone");
  job(1);
  job(2);
  artifact(1, 1, shared);
  artifact(2, 1, shared);
  artifact(1, 2, alone);
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("UPDATE artifacts SET removed_ms = 5 WHERE job = 1");
  EXPECT_EQ(sweep(0, true).blobs, 1U) << "a dry run tells the same";
  EXPECT_TRUE(blobs.has(alone));
  EXPECT_EQ(sweep().blobs, 1U);
  EXPECT_FALSE(blobs.has(alone));
  EXPECT_TRUE(blobs.has(shared));
  sql("DELETE FROM artifacts WHERE job = 2");
  EXPECT_EQ(sweep().blobs, 1U);
  EXPECT_FALSE(blobs.has(shared));
}

TEST_F(SweeperTest, an_image_keeps_its_layers_and_takes_them_with_it) {
  const auto layer = put("a layer");
  const auto manifest = put("{\"layers\":[{\"digest\":\"" + layer.str() + "\"}]}");
  job(1);
  artifact(1, 1, manifest, proto::kManifestMediaType);
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("UPDATE artifacts SET removed_ms = 5");
  EXPECT_EQ(sweep().blobs, 2U);
  EXPECT_FALSE(blobs.has(layer));
}

TEST_F(SweeperTest, an_index_keeps_the_layers_of_its_images_and_takes_them_with_it) {
  const auto layer = put("a layer");
  const auto other = put("another one");
  const auto one = put("{\"layers\":[{\"digest\":\"" + layer.str() + "\"}]}");
  const auto two = put("{\"layers\":[{\"digest\":\"" + other.str() + "\"}]}");
  const auto index = put("{\"manifests\":[{\"digest\":\"" + one.str() + "\"},{\"digest\":\"" + two.str() + "\"}]}");
  job(1);
  artifact(1, 1, index, proto::kIndexMediaType);
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("UPDATE artifacts SET removed_ms = 5");
  EXPECT_EQ(sweep().blobs, 5U);
  for (const auto& gone : {layer, other, one, two, index}) EXPECT_FALSE(blobs.has(gone));
}

TEST_F(SweeperTest, a_layer_stays_while_its_snapshot_does) {
  const auto layer = put("a layer");
  sql("INSERT INTO snapshots (id, created_ms, used_ms, bytes, entries) VALUES (1, 1, 1, 1, 1)");
  sql("INSERT INTO layer_blobs VALUES (1, '', '" + layer.str() + "', 'd', 1, 'x')");
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("DELETE FROM snapshots");
  EXPECT_EQ(sweep().blobs, 1U);
}

// Composed of two blobs, and packed once.
TEST_F(SweeperTest, what_is_composed_keeps_its_parts_until_nobody_has_it) {
  const auto part = put("a part");
  const auto packed = put("packed");
  const auto tar = base::Digest::of("composed");
  sql("INSERT INTO composed_blobs VALUES ('" + tar.str() + "', 6)");
  sql("INSERT INTO blob_parts VALUES ('" + tar.str() + "', 0, '" + part.str() + "', 0, 6)");
  sql("INSERT INTO packed_layers VALUES ('" + tar.str() + "', 'gzip', '" + packed.str() + "', 6, 'x')");
  sql("INSERT INTO snapshots (id, created_ms, used_ms, bytes, entries) VALUES (1, 1, 1, 1, 1)");
  sql("INSERT INTO layer_blobs VALUES (1, 'none', '" + tar.str() + "', '" + tar.str() + "', 6, 'x')");
  const auto manifest = put("{\"layers\":[{\"digest\":\"" + tar.str() + "\"}]}");
  job(1);
  artifact(1, 1, manifest, proto::kManifestMediaType);
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("UPDATE artifacts SET removed_ms = 5");
  EXPECT_EQ(sweep().blobs, 1U) << "the manifest: the layer is still known";
  restart();
  EXPECT_EQ(sweep(kQuiet).blobs, 0U) << "nor does who looks at everything take it";
  sql("DELETE FROM snapshots");
  EXPECT_EQ(sweep().blobs, 2U);
  EXPECT_FALSE(blobs.has(part));
  EXPECT_FALSE(blobs.has(packed));
}

TEST_F(SweeperTest, an_image_keeps_what_its_layers_are_composed_of_when_the_snapshots_are_gone) {
  const auto part = put("a part");
  const auto tar = base::Digest::of("composed");
  sql("INSERT INTO composed_blobs VALUES ('" + tar.str() + "', 6)");
  sql("INSERT INTO blob_parts VALUES ('" + tar.str() + "', 0, '" + part.str() + "', 0, 6)");
  const auto manifest = put("{\"layers\":[{\"digest\":\"" + tar.str() + "\"}]}");
  job(1);
  artifact(1, 1, manifest, proto::kManifestMediaType);
  EXPECT_EQ(sweep(kQuiet).blobs, 0U);
  sql("UPDATE artifacts SET removed_ms = 5");
  EXPECT_EQ(sweep().blobs, 2U);
  EXPECT_FALSE(blobs.has(part));
}

TEST_F(SweeperTest, a_context_goes_when_no_job_has_it_and_it_is_old) {
  const auto file = put("source", BlobFor::upload);
  const auto shared = put("both", BlobFor::upload);
  proto::ContextManifest manifest;
  manifest.entries.push_back({"a", proto::EntryType::file, 0644, 6, 0, file.str(), ""});
  manifest.entries.push_back({"b", proto::EntryType::file, 0644, 4, 0, shared.str(), ""});
  const std::string wanted = context_of(shared, 4);
  const std::string unwanted = contexts.offer(manifest)->digest;
  job(1, wanted);
  EXPECT_EQ(sweep(kQuiet).contexts, 0U) << "it may still be submitted";
  const auto foretold = sweep(kAge, true);
  EXPECT_EQ(foretold.contexts, 1U);
  const auto swept = sweep();
  EXPECT_EQ(swept.contexts, 1U);
  EXPECT_EQ(swept.blobs, 1U);
  EXPECT_FALSE(blobs.has(file));
  EXPECT_TRUE(blobs.has(shared));
  EXPECT_TRUE(contexts.load(*base::Digest::parse(wanted)));
  EXPECT_FALSE(contexts.load(*base::Digest::parse(unwanted)));
  EXPECT_EQ(contexts.totals().count, 1U);
  sql("DELETE FROM jobs");
  EXPECT_EQ(sweep(2 * kAge).contexts, 1U);
  EXPECT_EQ(contexts.totals().bytes, 0U);
  EXPECT_FALSE(blobs.has(shared));
}

TEST_F(SweeperTest, who_looks_at_a_context_makes_it_young_again) {
  const std::string context = context_of(put("source", BlobFor::upload), 6);
  sweep(kAge / 2);
  // As old as it can be, seen from the disk: an hour before the clock's time.
  const std::string file = directory / "contexts" / (context.substr(7) + ".json");
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(2);
  fs::last_write_time(file, old);
  EXPECT_EQ(sweep(0, true).contexts, 1U);
  ASSERT_TRUE(contexts.load(*base::Digest::parse(context)));
  EXPECT_EQ(sweep().contexts, 0U);
}

TEST_F(SweeperTest, what_a_running_job_made_stays_until_it_lets_go) {
  sweep(kQuiet);
  auto hold = blobs.ledger().hold();
  const auto made = put("made");
  const auto found = put("made");  // by a second step
  EXPECT_EQ(found, made);
  auto later = blobs.ledger().hold();
  EXPECT_EQ(sweep(10 * kAge).blobs, 0U);
  hold.reset();
  EXPECT_EQ(sweep().blobs, 1U) << "no artifact came of it; who came later did not make it";
}

TEST_F(SweeperTest, a_blob_that_is_there_is_found_again_before_its_artifact_has_a_row) {
  sweep(kQuiet);
  const auto blob = put("again");
  job(1);
  artifact(1, 1, blob);
  sweep();
  sql("UPDATE artifacts SET removed_ms = 5");  // loose from now on
  auto hold = blobs.ledger().hold();
  put("again");
  EXPECT_EQ(sweep().blobs, 0U);
  artifact(1, 2, blob);
  hold.reset();
  EXPECT_EQ(sweep().blobs, 0U);
  EXPECT_TRUE(blobs.has(blob));
}

TEST_F(SweeperTest, an_upload_has_its_time_also_for_what_was_there) {
  sweep(kQuiet);
  const auto sent = put("sent", BlobFor::upload);
  EXPECT_EQ(sweep(kQuiet / 2).blobs, 0U);
  EXPECT_TRUE(blobs.find_for_upload(sent));  // another client is told that it is there
  EXPECT_EQ(sweep(kQuiet / 4).blobs, 0U);
  EXPECT_EQ(sweep(kQuiet).blobs, 1U) << "nobody came back";
  EXPECT_FALSE(blobs.find_for_upload(sent));
}

TEST_F(SweeperTest, what_a_killed_daemon_left_is_found_after_the_next_start) {
  const auto left = put("left");
  sweep(kQuiet);
  EXPECT_FALSE(blobs.has(left));
  // Behind the ledger's back, as by a daemon before this one.
  directory.file("blobs/" + left.hex().substr(0, 2) + "/" + left.hex(), "left");
  EXPECT_EQ(sweep().blobs, 0U) << "all are looked at once only";
  restart();
  EXPECT_EQ(sweep().blobs, 0U);
  EXPECT_EQ(sweep(kQuiet).blobs, 1U);
}

TEST_F(SweeperTest, a_sweep_that_fails_in_the_midst_is_taken_up_again) {
  sweep(kQuiet);
  const auto file = put("source", BlobFor::upload);
  context_of(file, 6);
  const auto removed = put("artifact");
  job(1);
  artifact(1, 1, removed);
  sweep(kQuiet);  // their notes are over
  sql("UPDATE artifacts SET removed_ms = 5");
  // As on a full disk.
  sql("CREATE TEMP TRIGGER full BEFORE DELETE ON main.loose_blobs BEGIN SELECT RAISE (ABORT, 'full'); END");
  clock.ahead_ms += kAge;
  EXPECT_FALSE(sweeper->sweep());
  EXPECT_EQ(contexts.totals().count, 0U) << "so far it came";
  sql("DROP TRIGGER full");
  EXPECT_EQ(sweep().blobs, 2U);
  EXPECT_FALSE(blobs.has(file) || blobs.has(removed));
}

}  // namespace
}  // namespace ingot::store
