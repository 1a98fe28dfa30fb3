#include "daemon/store/saved_artifacts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "daemon/store/snapshots.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class SavedArtifactsTest : public testing::Test {
 protected:
  SavedArtifactsTest() {
    auto pending = snapshots.begin({});
    snapshot.emplace(*snapshots.commit(std::move(*pending)));
    save.source = "/out";
    save.name = "out";
  }
  // Counts how often it is made.
  Result<SavedArtifacts::Artifacts> make() {
    ++made;
    proto::Artifact artifact;
    artifact.name = save.name;
    auto writer = blobs.begin();
    EXPECT_TRUE(writer->write("content"));
    artifact.size = 7;
    artifact.digest = writer->commit(Durability::now)->str();
    return SavedArtifacts::Artifacts{artifact};
  }
  SavedArtifacts::Artifacts get() {
    auto got = saved.get(snapshot->id(), save, [&] { return make(); });
    EXPECT_TRUE(got);
    return got.value_or(SavedArtifacts::Artifacts{});
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database = std::move(*db::Database::open(directory / "x.db"));
  BlobStore blobs = std::move(*BlobStore::open(directory / "blobs"));
  SnapshotStore snapshots = std::move(*SnapshotStore::open(directory / "snapshots", *database));
  SavedArtifacts saved{*database, blobs};
  std::optional<Lease> snapshot;
  graph::SaveArtifact save;
  std::atomic<int> made = 0;
};

TEST_F(SavedArtifactsTest, what_was_saved_once_is_not_saved_again) {
  const auto first = get();
  const auto second = get();
  EXPECT_EQ(made, 1);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].digest, first[0].digest);
  EXPECT_EQ(second[0].name, "out");
  EXPECT_EQ(second[0].size, 7U);
}

TEST_F(SavedArtifactsTest, what_is_asked_for_otherwise_is) {
  get();
  save.keep_ts = true;
  get();
  save.local_path = "build/out";
  get();
  EXPECT_EQ(made, 3);
}

TEST_F(SavedArtifactsTest, what_is_not_kept_any_more_is_made_again) {
  const auto first = get();
  fs::remove(blobs.path(*base::Digest::parse(first[0].digest)));
  get();
  EXPECT_EQ(made, 2);
}

TEST_F(SavedArtifactsTest, a_failure_is_not_remembered) {
  auto failed = saved.get(snapshot->id(), save, [&]() -> Result<SavedArtifacts::Artifacts> {
    return base::fail(ErrorKind::not_found, "no");
  });
  EXPECT_FALSE(failed);
  get();
  EXPECT_EQ(made, 1);
}

TEST_F(SavedArtifactsTest, those_that_want_the_same_at_once_make_it_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { get(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace ingot::store
