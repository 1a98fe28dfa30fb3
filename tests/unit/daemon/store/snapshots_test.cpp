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
      INGOT_TRY(auto image, database->prepare("INSERT INTO images VALUES ('k', 'r', 's', ?, '{}', 1, 'd')"));
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

TEST_F(SnapshotStoreTest, nobody_else_reaches_a_layer) {
  ASSERT_EQ(chmod((directory / "s").c_str(), 0755), 0);  // as an earlier daemon may have left it
  ASSERT_TRUE(SnapshotStore::open(directory / "s", *database));
  struct stat status {};
  ASSERT_EQ(stat((directory / "s").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
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

TEST_F(SnapshotStoreTest, steps_are_reason_enough_to_stay) {
  const auto base = make(std::nullopt);
  const auto known = make(base);
  const auto loose = make(base);
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto step, database->prepare("INSERT INTO steps VALUES ('k', 'o', '', ?, 0, 0, 0)"));
    return step.bind(1, known).run();
  }));
  ASSERT_TRUE(store.remove_unreferenced());
  EXPECT_TRUE(store.layers(known));
  EXPECT_FALSE(store.layers(loose));
}

TEST_F(SnapshotStoreTest, what_is_leased_is_not_removed) {
  const auto id = make(std::nullopt);
  auto lease = store.lease(id);
  EXPECT_EQ(store.remove(id).error().kind, ErrorKind::conflict);
  lease = {};
  EXPECT_TRUE(store.remove(id));
}

TEST_F(SnapshotStoreTest, what_a_commit_writes_with_it_is_there_with_it_or_not_at_all) {
  auto lease = store.commit(*store.begin(std::nullopt), [&](SnapshotId id) -> Status {
    INGOT_TRY(auto step, database->prepare("INSERT INTO steps VALUES ('k', 'o', '', ?, 0, 0, 0)"));
    return step.bind(1, id).run();
  });
  ASSERT_TRUE(lease);
  auto failed = store.commit(*store.begin(std::nullopt),
                             [](SnapshotId) -> Status { return base::fail(ErrorKind::no_space, "full"); });
  EXPECT_EQ(failed.error().kind, ErrorKind::no_space);
  auto rows = database->prepare("SELECT count(*) FROM snapshots");
  ASSERT_TRUE(rows && *rows->step());
  EXPECT_EQ(rows->number(0), 1);
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

// A power cut: what was not on the disk yet is of an earlier boot.
TEST_F(SnapshotStoreTest, what_a_power_cut_may_have_taken_is_forgotten_with_all_that_stands_on_it) {
  const auto safe = make(std::nullopt);
  ASSERT_TRUE(store.sync_now());
  const auto lost = make(safe);
  const auto on_lost = make(lost);
  ASSERT_TRUE(name_an_image(on_lost));
  auto same_boot = *SnapshotStore::open(directory / "s", *database);
  EXPECT_TRUE(same_boot.layers(on_lost)) << "a daemon that was killed loses nothing";
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto update, database->prepare("UPDATE snapshots SET unsynced_boot = 'earlier' WHERE id >= ?"));
    return update.bind(1, lost).run();
  }));
  auto next_boot = *SnapshotStore::open(directory / "s", *database, "next");
  EXPECT_TRUE(next_boot.layers(safe));
  EXPECT_FALSE(next_boot.layers(lost) || next_boot.layers(on_lost));
}

TEST_F(SnapshotStoreTest, equal_content_is_seen_layer_by_layer_and_other_content_too) {
  const auto with_file = [&](std::optional<SnapshotId> parent, const std::string& text) {
    auto pending = *store.begin(parent);
    directory.file("s/pending/" + pending.directory.path().filename().string() + "/fs/file", text);
    return store.commit(std::move(pending))->id();
  };
  const auto base = make(std::nullopt, 3);
  const auto one = with_file(base, "x");
  const auto two = with_file(base, "x");
  const auto other = with_file(base, "y");
  EXPECT_TRUE(*store.same_content(one, two));
  EXPECT_TRUE(*store.same_content(one, two)) << "from what is known by now";
  EXPECT_FALSE(*store.same_content(two, other));
  EXPECT_EQ(*store.content_digest(one), *store.content_digest(two));
  EXPECT_NE(*store.content_digest(one), *store.content_digest(other));
  EXPECT_TRUE(*store.same_content(one, two)) << "by their digests";
  EXPECT_FALSE(*store.same_content(one, other));
  EXPECT_FALSE(*store.same_content(one, base));
  EXPECT_TRUE(*store.same_content(with_file(one, "z"), with_file(two, "z")));
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
