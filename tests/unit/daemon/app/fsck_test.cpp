#include "daemon/app/fsck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "daemon/db/database.h"
#include "daemon/store/contexts.h"
#include "daemon/store/snapshots.h"
#include "proto/image.h"
#include "tests/support/temp.h"

namespace ingot::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A state directory as a daemon leaves it: a base and a step on it, a job with an artifact, an image and a context.
class FsckTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = open();
    auto blobs = *store::BlobStore::open(directory / "blobs");
    auto contexts = *store::ContextStore::open(directory / "contexts", blobs, {});
    auto snapshots = *store::SnapshotStore::open(directory / "snapshots", *database);
    auto first = *snapshots.begin(std::nullopt);
    std::ofstream(first.upper() / "file") << "base";
    auto lease = *snapshots.commit(std::move(first));
    base = lease.id();
    auto second = *snapshots.begin(base);
    std::ofstream(second.upper() / "more") << "step";
    step = snapshots.commit(std::move(second))->id();
    ASSERT_TRUE(snapshots.sync_now());
    artifact = put(blobs, "an artifact");
    layer = put(blobs, "a layer");
    const auto manifest = put(blobs, "{\"config\":{\"digest\":\"" + artifact.str() + "\"},\"layers\":[{\"digest\":\"" +
                                         layer.str() + "\"}]}");
    source = put(blobs, "source");
    proto::ContextManifest sent;
    sent.entries.push_back({"file", proto::EntryType::file, 0644, 6, 0, source.str(), ""});
    context = *base::Digest::parse(contexts.offer(sent)->digest);
    sql(*database,
        "INSERT INTO jobs (seq, id, state, priority, spec, submitter_uid, submitter_gid, submitter_user, created_ms) "
        "VALUES (1, 'job-0001', 'queued', 0, '{}', 0, 0, 'me', 1)");
    add_artifact(*database, 1, "out", artifact, 11, "text/plain");
    add_artifact(*database, 2, "image", manifest, fs::file_size(blobs.path(manifest)), proto::kManifestMediaType);
    sql(*database,
        "INSERT INTO layer_blobs VALUES (" + std::to_string(step) + ", '', '" + layer.str() + "', 'd', 7, 'x')");
    sql(*database, "INSERT INTO steps VALUES ('k', 'o', '', " + std::to_string(step) + ", 1, 1, 1)");
    directory.file("logs/job-0001.ndjson", "{}\n");
  }
  std::unique_ptr<db::Database> open() { return std::move(*db::Database::open(directory / "ingot.db")); }
  static base::Digest put(const store::BlobStore& blobs, const std::string& text) {
    auto writer = blobs.begin();
    EXPECT_TRUE(writer->write(text));
    return *writer->commit(store::Durability::now);
  }
  static void sql(db::Database& database, const std::string& statement) {
    auto done = database.transaction([&]() -> Status {
      INGOT_TRY(auto prepared, database.prepare(statement));
      return prepared.run();
    });
    EXPECT_TRUE(done) << statement << (done ? "" : done.error().message);
  }
  static void add_artifact(db::Database& database, int number, const std::string& name, const base::Digest& digest,
                           std::uint64_t size, const std::string& type) {
    sql(database, "INSERT INTO artifacts (job, number, name, local_path, digest, size, media_type, mode) VALUES (1, " +
                      std::to_string(number) + ", '" + name + "', '', '" + digest.str() + "', " + std::to_string(size) +
                      ", '" + type + "', 420)");
  }
  std::int64_t number(const std::string& query) {
    auto database = open();
    std::int64_t value = -1;
    EXPECT_TRUE(database->read([&]() -> Status {
      INGOT_TRY(auto prepared, database->prepare(query));
      INGOT_CHECK(prepared.step());
      value = prepared.number(0);
      return {};
    }));
    return value;
  }
  fs::path blob(const base::Digest& digest) { return directory / "blobs" / digest.hex().substr(0, 2) / digest.hex(); }
  fs::path snapshot(std::int64_t id) { return directory / "snapshots" / std::to_string(id); }
  int check(FsckDepth depth = FsckDepth::quick) {
    said.clear();
    auto result = fsck(directory.path(), depth, [&](const std::string& line) { said.push_back(line); });
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->exit_code() : -1;
  }
  // Whatever was wrong is found and mended once, and is right then.
  void expect_mended(const std::string& line, FsckDepth depth = FsckDepth::quick) {
    EXPECT_EQ(check(depth), 1);
    EXPECT_THAT(said, testing::Contains(HasSubstr(line)));
    EXPECT_EQ(check(depth), 0) << testing::PrintToString(said);
  }

  test::TempDirectory directory;
  std::int64_t base = 0;
  std::int64_t step = 0;
  base::Digest artifact;
  base::Digest layer;
  base::Digest source;
  base::Digest context;
  std::vector<std::string> said;
};

TEST_F(FsckTest, what_is_right_is_left_alone) {
  EXPECT_EQ(check(), 0) << testing::PrintToString(said);
  EXPECT_EQ(check(FsckDepth::full), 0) << testing::PrintToString(said);
  EXPECT_THAT(said, ElementsAre());
  EXPECT_EQ(number("SELECT count(*) FROM snapshots"), 2);
}

TEST_F(FsckTest, a_daemon_that_runs_is_not_disturbed) {
  auto lock = sys::FileLock::acquire(directory / "lock");
  auto refused = fsck(directory.path(), FsckDepth::quick, [](const std::string&) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused.error().hint, HasSubstr("stop it first"));
  EXPECT_FALSE(fsck(directory / "nowhere", FsckDepth::quick, [](const std::string&) {}));
}

TEST_F(FsckTest, a_lock_that_goes_in_a_moment_is_waited_for) {
  std::thread last_moment(
      [lock = std::make_shared<sys::FileLock>(*sys::FileLock::acquire(directory / "lock"))]() mutable {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        lock.reset();
      });
  EXPECT_EQ(check(), 0);
  last_moment.join();
}

TEST_F(FsckTest, a_snapshot_without_directory_is_forgotten_with_what_stands_on_it) {
  fs::remove_all(snapshot(base));
  expect_mended("is lost, its directory is not there");
  EXPECT_EQ(number("SELECT count(*) FROM snapshots"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM steps"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM layer_blobs"), 0);
  EXPECT_FALSE(fs::exists(snapshot(step)));
}

TEST_F(FsckTest, what_is_composed_of_a_lost_blob_is_lost_with_the_image_that_has_it) {
  auto database = open();
  const auto blobs = *store::BlobStore::open(directory / "blobs");
  const auto part = put(blobs, "a part");
  const auto packed = put(blobs, "packed");
  const auto tar = base::Digest::of("composed");
  const auto manifest = put(
      blobs, "{\"config\":{\"digest\":\"" + artifact.str() + "\"},\"layers\":[{\"digest\":\"" + tar.str() + "\"}]}");
  sql(*database, "INSERT INTO composed_blobs VALUES ('" + tar.str() + "', 6)");
  sql(*database, "INSERT INTO blob_parts VALUES ('" + tar.str() + "', 0, '" + part.str() + "', 0, 6)");
  sql(*database, "INSERT INTO packed_layers VALUES ('" + tar.str() + "', 'gzip', '" + packed.str() + "', 6, 'x')");
  sql(*database, "INSERT INTO layer_blobs VALUES (" + std::to_string(step) + ", 'none', '" + tar.str() + "', '" +
                     tar.str() + "', 6, 'x')");
  add_artifact(*database, 3, "composed", manifest, fs::file_size(blobs.path(manifest)), proto::kManifestMediaType);
  database.reset();
  EXPECT_EQ(check(), 0) << testing::PrintToString(said);
  fs::remove(blob(packed));
  expect_mended("what was packed of " + tar.str() + " is lost");
  fs::remove(blob(part));
  expect_mended("artifact 3 (composed) of job job-0001 is lost");
  EXPECT_EQ(number("SELECT count(*) FROM composed_blobs"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM layer_blobs"), 1);
}

TEST_F(FsckTest, an_index_is_lost_with_any_part_of_its_images) {
  auto database = open();
  const auto blobs = *store::BlobStore::open(directory / "blobs");
  const auto part = put(blobs, "a layer of one of them");
  const auto one = put(blobs, "{\"layers\":[{\"digest\":\"" + part.str() + "\"}]}");
  const auto two = put(blobs, "{\"layers\":[{\"digest\":\"" + artifact.str() + "\"}]}");
  const auto index =
      put(blobs, "{\"manifests\":[{\"digest\":\"" + two.str() + "\"},{\"digest\":\"" + one.str() + "\"}]}");
  add_artifact(*database, 3, "index", index, fs::file_size(blobs.path(index)), proto::kIndexMediaType);
  database.reset();
  EXPECT_EQ(check(), 0) << testing::PrintToString(said);
  fs::remove(blob(part));
  expect_mended("artifact 3 (index) of job job-0001 is lost");
}

TEST_F(FsckTest, a_directory_without_row_is_removed) {
  directory.file("snapshots/77/file", "nobody's");
  expect_mended("snapshots/77 is no snapshot's: removed");
  EXPECT_FALSE(fs::exists(snapshot(77)));
  EXPECT_TRUE(fs::exists(snapshot(step)));
}

TEST_F(FsckTest, a_wrong_count_is_corrected) {
  const auto bytes = number("SELECT bytes FROM snapshots WHERE id = 1");
  sql(*open(), "UPDATE snapshots SET bytes = 999999999 WHERE id = 1");
  expect_mended("corrected");
  EXPECT_EQ(number("SELECT bytes FROM snapshots WHERE id = 1"), bytes);
}

TEST_F(FsckTest, only_a_full_check_reads_the_content) {
  std::ofstream(blob(artifact)) << "an ARTIFACT";
  EXPECT_EQ(check(), 0);
  EXPECT_EQ(check(FsckDepth::full), 1);
  EXPECT_FALSE(fs::exists(blob(artifact)));
  EXPECT_THAT(said, testing::Contains(HasSubstr("has other content than its name says: removed")));
  EXPECT_THAT(said, testing::Contains(HasSubstr("artifact 1 (out) of job job-0001 is lost")));
  EXPECT_EQ(number("SELECT count(*) FROM artifacts WHERE removed_ms IS NOT NULL"), 2) << "the image names it too";
  EXPECT_EQ(check(FsckDepth::full), 0);
}

TEST_F(FsckTest, a_layer_that_somebody_changed_is_found_by_a_full_check) {
  {
    auto database = open();
    auto snapshots = *store::SnapshotStore::open(directory / "snapshots", *database);
    ASSERT_TRUE(snapshots.content_digest(base));  // as of every image
  }
  EXPECT_EQ(check(FsckDepth::full), 0) << testing::PrintToString(said);
  std::ofstream(snapshot(base) / "file") << "BASE";
  EXPECT_EQ(check(), 0);
  expect_mended("its files are not those that were kept", FsckDepth::full);
}

TEST_F(FsckTest, a_blob_that_was_cut_short_is_found_by_its_size) {
  fs::resize_file(blob(layer), 3);
  expect_mended("the image layer of snapshot 2 is lost, its bytes were damaged");
  EXPECT_FALSE(fs::exists(blob(layer)));
}

TEST_F(FsckTest, an_artifact_without_bytes_is_marked) {
  fs::remove(blob(artifact));
  expect_mended("artifact 1 (out) of job job-0001 is lost, its bytes are not there");
  EXPECT_EQ(number("SELECT count(*) FROM artifacts WHERE removed_ms > 0"), 2);
}

TEST_F(FsckTest, a_context_that_cannot_be_used_is_removed) {
  const fs::path file = directory / "contexts" / (context.hex() + ".json");
  const std::string text = test::slurp(file);
  for (const std::string& damaged : {std::string("{"), std::string(R"({"entries":[]})")}) {
    std::ofstream(file) << damaged;
    expect_mended("context " + context.str() + " cannot be used");
    EXPECT_FALSE(fs::exists(file));
  }
  EXPECT_FALSE(fs::exists(blob(source))) << "nothing else refers to it";
  put(*store::BlobStore::open(directory / "blobs"), "source");
  std::ofstream(file) << text;
  EXPECT_EQ(check(), 0);
  fs::remove(blob(source));
  expect_mended("of its file file: its bytes are not there; it is to be sent again");
}

TEST_F(FsckTest, a_blob_that_nothing_refers_to_is_removed) {
  auto blobs = *store::BlobStore::open(directory / "blobs");
  const auto loose = put(blobs, "nobody's");
  // What only such a one names is nobody's too.
  const auto named = put(blobs, "named");
  const auto manifest = put(blobs, "{\"layers\":[{\"digest\":\"" + named.str() + "\"}]}");
  expect_mended("blob " + loose.str() + " is nobody's, 4.0 KiB on the disk: removed");
  EXPECT_EQ(said.size(), 0U);
  for (const auto& gone : {loose, named, manifest}) EXPECT_FALSE(fs::exists(blob(gone)));
  for (const auto& kept : {artifact, layer, source}) EXPECT_TRUE(fs::exists(blob(kept)));
}

TEST_F(FsckTest, a_blob_goes_with_the_last_that_names_it) {
  fs::remove(directory / "contexts" / (context.hex() + ".json"));
  expect_mended("blob " + source.str() + " is nobody's");
  sql(*open(), "UPDATE artifacts SET removed_ms = 1 WHERE number = 2");
  sql(*open(), "DELETE FROM layer_blobs");
  EXPECT_EQ(check(), 1);
  EXPECT_EQ(said.size(), 2U) << "the manifest and its layer; the artifact that it names is a job's";
  EXPECT_FALSE(fs::exists(blob(layer)));
  EXPECT_TRUE(fs::exists(blob(artifact)));
}

TEST_F(FsckTest, a_log_of_no_job_is_removed) {
  directory.file("logs/nobody.ndjson", "{}\n");
  expect_mended("log nobody.ndjson is of no job: removed");
  EXPECT_TRUE(fs::exists(directory / "logs/job-0001.ndjson"));
}

}  // namespace
}  // namespace ingot::app
