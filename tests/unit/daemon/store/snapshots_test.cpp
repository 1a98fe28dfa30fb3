#include "daemon/store/snapshots.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class SnapshotStoreTest : public testing::Test {
 protected:
  SnapshotStoreTest()
      : database(*db::Database::open(directory / "x.db")), store(*SnapshotStore::open(directory / "s", *database)) {}

  SnapshotId make(std::optional<SnapshotId> parent, int files = 0) {
    auto pending = *store.begin(parent);
    for (int i = 0; i < files; ++i) fs::create_directories(pending.upper() / std::to_string(i));
    return store.commit(std::move(pending))->id();
  }
  Status name_an_image(SnapshotId id) {
    return database->transaction([&]() -> Status {
      INGOT_TRY(auto image, database->prepare("INSERT INTO images VALUES ('k', 'r', 's', ?, '{}', 1)"));
      return image.bind(1, id).run();
    });
  }
  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  SnapshotStore store;
};

TEST_F(SnapshotStoreTest, what_was_written_is_the_layer_and_nothing_stays_pending) {
  auto pending = *store.begin(std::nullopt);
  directory.file("s/pending/" + pending.directory.path().filename().string() + "/fs/etc/x", "text");
  const auto id = store.commit(std::move(pending))->id();
  EXPECT_EQ(test::slurp(store.layers(id)->front() / "etc/x"), "text");
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

TEST_F(SnapshotStoreTest, few_files_and_many_are_kept_alike) {
  for (int files : {0, 1, 63, 64}) {
    const auto id = make(std::nullopt, files);
    EXPECT_EQ(std::distance(fs::directory_iterator(store.layers(id)->front()), fs::directory_iterator()), files);
  }
}

TEST_F(SnapshotStoreTest, one_that_is_given_up_goes) {
  {
    auto pending = *store.begin(std::nullopt);
    fs::create_directories(pending.upper() / "a/b/c");
    auto moved = std::move(pending);
    EXPECT_TRUE(fs::exists(moved.upper()));
  }
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
  store.reclaim_now();
  EXPECT_TRUE(fs::is_empty(directory / "s/trash"));
}

TEST_F(SnapshotStoreTest, the_root_keeps_its_mode_layer_by_layer) {
  auto pending = *store.begin(std::nullopt);
  ASSERT_EQ(chmod(pending.upper().c_str(), 01777), 0);
  const auto base = store.commit(std::move(pending))->id();
  auto next = *store.begin(base);
  struct stat status {};
  ASSERT_EQ(stat(next.upper().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 01777U);
}

TEST_F(SnapshotStoreTest, one_in_use_is_not_removed) {
  const auto base = make(std::nullopt);
  const auto top = make(base);
  auto refused = store.remove(base);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().message,
            "snapshot " + std::to_string(base) + " is in use: an image or another snapshot needs it");
  EXPECT_TRUE(store.layers(base));
  ASSERT_TRUE(name_an_image(top));
  EXPECT_FALSE(store.remove(top));
}

TEST_F(SnapshotStoreTest, a_removed_one_is_gone_at_once_by_name_and_later_by_bytes) {
  const auto id = make(std::nullopt, 10);
  ASSERT_TRUE(store.remove(id));
  EXPECT_EQ(store.layers(id).error().kind, ErrorKind::not_found);
  EXPECT_EQ(store.layers(id).error().message, "there is no snapshot " + std::to_string(id));
  EXPECT_FALSE(fs::exists(directory / ("s/" + std::to_string(id))));
  store.reclaim_now();
  EXPECT_TRUE(fs::is_empty(directory / "s/trash"));
}

TEST_F(SnapshotStoreTest, a_directory_that_somebody_removed_is_said) {
  const auto base = make(std::nullopt);
  const auto top = make(base);
  fs::remove_all(directory / ("s/" + std::to_string(base)));
  auto broken = store.layers(top);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::not_found);
  EXPECT_EQ(broken.error().message, "snapshot " + std::to_string(top) + " is gone from " +
                                        (directory / ("s/" + std::to_string(base))).string());
}

TEST_F(SnapshotStoreTest, a_commit_that_failed_half_way_does_not_block_the_next) {
  const auto first = make(std::nullopt);
  // The rename was done, the row was not.
  directory.file("s/" + std::to_string(first + 1) + "/stale", "x");
  const auto second = make(first);
  EXPECT_EQ(second, first + 1);
  EXPECT_FALSE(fs::exists(store.layers(second)->back() / "stale"));
}

TEST_F(SnapshotStoreTest, a_commit_on_a_parent_that_is_not_there_fails_and_leaves_nothing) {
  auto pending = *store.begin(std::nullopt);
  pending.parent = 4711;
  EXPECT_FALSE(store.commit(std::move(pending)));
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
  EXPECT_EQ(store.begin(4711).error().kind, ErrorKind::not_found);
}

TEST_F(SnapshotStoreTest, only_what_images_stand_on_stays_at_a_start) {
  const auto base = make(std::nullopt);
  const auto image = make(base);
  const auto step = make(image);
  const auto step_on_step = make(step);
  ASSERT_TRUE(name_an_image(image));
  fs::create_directory(directory / "s/lost+found");
  ASSERT_TRUE(store.remove_unreferenced());
  EXPECT_TRUE(store.layers(image));
  EXPECT_FALSE(store.layers(step) || store.layers(step_on_step));
  EXPECT_TRUE(fs::exists(directory / "s/lost+found")) << "not one of ours";
}

TEST_F(SnapshotStoreTest, what_was_pending_at_a_crash_is_put_aside_at_the_next_start) {
  directory.file("s/pending/abc/fs/etc/x", "half");
  auto again = *SnapshotStore::open(directory / "s", *database);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
  again.reclaim_now();
  EXPECT_TRUE(fs::is_empty(directory / "s/trash"));
}

}  // namespace
}  // namespace ingot::store
