#include "daemon/store/layer_shares.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "daemon/store/snapshots.h"
#include "tests/support/temp.h"

// What the layers are counted with, while files that they have in common come and go.
namespace ingot::store {
namespace {

class LayerSharesTest : public testing::Test {
 protected:
  LayerSharesTest() : database(*db::Database::open(directory / "db")) {}
  // A layer that has `bytes` on the disk, some of them counted elsewhere.
  SnapshotId layer(std::int64_t bytes, const LayerShares& shares = {}) {
    SnapshotId id = 0;
    const auto added = database->transaction([&]() -> Status {
      INGOT_TRY(auto insertion, database->prepare("INSERT INTO snapshots (created_ms, used_ms, bytes, entries) "
                                                  "VALUES (1, 1, ?, 1) RETURNING id"));
      INGOT_CHECK(insertion.bind(1, bytes - static_cast<std::int64_t>(shares.bytes())).step());
      id = insertion.number(0);
      INGOT_CHECK(insertion.run());
      return record_shares(*database, id, shares);
    });
    EXPECT_TRUE(added) << added.error().message;
    return id;
  }
  void remove(SnapshotId id) { change("DELETE FROM snapshots WHERE id = " + std::to_string(id)); }
  void change(const std::string& statement) {
    const auto done = database->transaction([&]() -> Status {
      INGOT_TRY(auto prepared, database->prepare(statement));
      return prepared.run();
    });
    ASSERT_TRUE(done) << done.error().message;
  }
  std::int64_t number(const std::string& query) {
    auto prepared = *database->prepare(query);
    EXPECT_TRUE(*prepared.step());
    return prepared.number(0);
  }
  std::int64_t bytes(SnapshotId id) { return number("SELECT bytes FROM snapshots WHERE id = " + std::to_string(id)); }
  std::int64_t total() { return number("SELECT coalesce(sum(bytes), 0) FROM snapshots"); }
  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
};

TEST_F(LayerSharesTest, a_linked_file_counts_where_it_was_first_until_that_goes) {
  const auto first = layer(1000);
  const auto second = layer(1100, {{{first, 1000}}, {}, {}});
  const auto third = layer(1000, {{{first, 1000}}, {}, {}});
  EXPECT_EQ(bytes(second), 100);
  EXPECT_EQ(total(), 1100);
  remove(first);
  EXPECT_EQ(total(), 1100) << "the others have the file still";
  EXPECT_EQ(bytes(second), 1100);
  remove(second);
  EXPECT_EQ(bytes(third), 1000);
  remove(third);
  EXPECT_EQ(total(), 0);
  EXPECT_EQ(number("SELECT count(*) FROM layer_shares"), 0);
}

TEST_F(LayerSharesTest, who_linked_from_a_layer_that_had_it_from_another_has_it_from_there) {
  const auto first = layer(1000);
  const auto between = layer(1000, {{{first, 1000}}, {}, {}});
  const auto last = layer(1000, {{{between, 1000}}, {}, {}});
  remove(between);
  EXPECT_EQ(total(), 1000);
  EXPECT_EQ(bytes(last), 0);
  remove(first);
  EXPECT_EQ(bytes(last), 1000);
}

TEST_F(LayerSharesTest, twins_count_at_the_layer_that_made_them) {
  const auto base = layer(1000);
  const auto first = layer(1000, {{}, {}, {base}});
  const auto second = layer(1000, {{}, {{base, 1000}}, {}});
  EXPECT_EQ(bytes(first), 1000);
  EXPECT_EQ(bytes(second), 0);
  remove(first);
  EXPECT_EQ(bytes(second), 1000);
  const auto third = layer(1000, {{}, {{base, 1000}}, {}});
  EXPECT_EQ(bytes(third), 0) << "the second counts them now";
  remove(second);
  remove(third);
  const auto fourth = layer(1000, {{}, {{base, 1000}}, {}});
  EXPECT_EQ(bytes(fourth), 1000) << "they were there, and nobody counted them any more";
  remove(base);
  EXPECT_EQ(total(), 1000);
  EXPECT_EQ(number("SELECT count(*) FROM twin_owners"), 0);
}

TEST_F(LayerSharesTest, a_file_that_is_a_blob_counts_as_one_until_the_blob_goes) {
  const auto id = layer(1000);
  const auto blob = base::Digest::of("x");
  const auto record = [&] { return *record_blob_share(*database, id, blob, {900}); };
  EXPECT_TRUE(record());
  EXPECT_FALSE(record()) << "once more changes nothing";
  EXPECT_EQ(bytes(id), 100);
  ASSERT_TRUE(database->transaction([&] { return forget_blob_share(*database, blob); }));
  EXPECT_EQ(bytes(id), 1000);
  EXPECT_TRUE(record());
  remove(id);
  EXPECT_EQ(number("SELECT count(*) FROM blob_shares"), 0);
}

TEST_F(LayerSharesTest, a_blob_whose_name_several_layers_have_counts_at_one_of_them_once_it_is_gone) {
  const auto blob = base::Digest::of("x");
  LayerShares shares;
  shares.with_blobs = {{blob.str(), {900}}};
  const auto first = layer(1000, shares);
  const auto second = layer(900, shares);
  EXPECT_EQ(total(), 100);
  ASSERT_TRUE(database->transaction([&] { return forget_blob_share(*database, blob); }));
  EXPECT_EQ(bytes(first), 1000);
  EXPECT_EQ(bytes(second), 0);
  remove(first);
  EXPECT_EQ(bytes(second), 900);
}

TEST_F(LayerSharesTest, a_file_that_did_not_become_a_blob_is_the_layers_own) {
  const auto id = layer(1000);
  const auto other = layer(1000);
  const auto blob = base::Digest::of("x");
  for (const auto of : {id, other}) EXPECT_TRUE(*record_blob_share(*database, of, blob, {900}));
  ASSERT_TRUE(withdraw_blob_share(*database, id, blob));
  EXPECT_EQ(bytes(id), 1000);
  EXPECT_EQ(bytes(other), 100);
  ASSERT_TRUE(withdraw_blob_share(*database, id, blob)) << "once more changes nothing";
  EXPECT_EQ(bytes(id), 1000);
}

TEST_F(LayerSharesTest, shares_of_blobs_that_were_never_made_end_with_the_next_start) {
  auto blobs = *BlobStore::open(directory / "blobs");
  auto writer = *blobs.begin();
  ASSERT_TRUE(writer.write("there"));
  const auto there = *writer.commit(Durability::now);
  const auto absent = base::Digest::of("a daemon died before it was made");
  const auto id = layer(2000);
  for (const auto& digest : {there, absent}) EXPECT_TRUE(*record_blob_share(*database, id, digest, {900}));
  EXPECT_EQ(bytes(id), 200);
  ASSERT_TRUE(forget_shares_of_absent(*database, blobs));
  EXPECT_EQ(bytes(id), 1100);
}

// Real layers and blobs: what is counted of them is held against what they have on the disk.
class SharedFilesTest : public testing::Test {
 protected:
  static constexpr std::int64_t kLarge = 2 << 20;
  SharedFilesTest()
      : database(*db::Database::open(directory / "db")),
        blobs(*BlobStore::open(directory / "blobs")),
        store(*SnapshotStore::open(directory / "s", *database)) {}
  SnapshotId make() {
    auto pending = *store.begin(std::nullopt);
    directory.file(within(pending, "opt/payload"), std::string(kLarge, 'p'));
    return store.commit(std::move(pending))->id();
  }
  // One more layer that has it, or another of that layer's files, by a second name.
  SnapshotId link_from(SnapshotId other, const std::string& name = {}) {
    auto pending = *store.begin(std::nullopt);
    directory.file(within(pending, "own"), std::string(kLarge, 'o'));
    const fs::path file = name.empty() ? payload(other) : directory / "s" / std::to_string(other) / name;
    fs::create_hard_link(file, pending.upper() / (name.empty() ? "payload" : "linked"));
    pending.shares.with_layers[other] = kLarge;
    return store.commit(std::move(pending))->id();
  }
  std::string within(const PendingSnapshot& pending, const std::string& path) {
    return fs::relative(pending.upper() / path, directory.path()).string();
  }
  fs::path payload(SnapshotId id) {
    const fs::path layer = directory / "s" / std::to_string(id);
    return fs::exists(layer / "payload") ? layer / "payload" : layer / "opt/payload";
  }
  void becomes_blob(SnapshotId id) {
    const auto digest = base::Digest::of(std::string(kLarge, 'p'));
    struct stat status {};
    ASSERT_EQ(stat(payload(id).c_str(), &status), 0);
    auto fd = *sys::open_file(payload(id), O_RDONLY);
    const auto counts = store.counts_as_blob(std::to_string(id), digest, SharedFile::of(status));
    const auto adopted = blobs.adopt(fd.get(), digest, Durability::now, counts);
    ASSERT_TRUE(adopted) << adopted.error().message;
    blob_bytes = kLarge;
  }
  // What the layers and the blob count together, and what they have on the disk.
  std::pair<std::int64_t, std::int64_t> counted_and_there() {
    auto query = *database->prepare("SELECT coalesce(sum(bytes), 0) FROM snapshots");
    EXPECT_TRUE(*query.step());
    std::int64_t there = 0;
    std::set<ino_t> seen;
    for (const char* part : {"s", "blobs"}) {
      for (const auto& entry : fs::recursive_directory_iterator(directory / part)) {
        struct stat status {};
        if (!entry.is_regular_file() || stat(entry.path().c_str(), &status) != 0) continue;
        if (status.st_size >= kLarge && seen.insert(status.st_ino).second) there += status.st_blocks * 512;
      }
    }
    return {(query.number(0) + blob_bytes) / kLarge * kLarge, there};
  }
  void expect_counts(std::int64_t files) {
    const auto [counted, there] = counted_and_there();
    EXPECT_EQ(there, files * kLarge);
    EXPECT_EQ(counted, there);
  }
  void remove(SnapshotId id) {
    const auto removed = store.remove(id);
    ASSERT_TRUE(removed) << removed.error().message;
    store.reclaim_now();
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  BlobStore blobs;
  SnapshotStore store;
  std::int64_t blob_bytes = 0;
};

TEST_F(SharedFilesTest, a_blobs_file_is_counted_once_when_the_layer_goes_that_others_linked_it_from) {
  const auto first = make();
  const auto second = link_from(first);
  becomes_blob(first);
  const auto third = link_from(first);
  expect_counts(3);
  remove(first);
  expect_counts(3);
  remove(second);
  expect_counts(2);
  remove(third);
  expect_counts(1);
}

TEST_F(SharedFilesTest, a_linked_file_that_becomes_a_blob_leaves_the_layer_that_counts_it) {
  const auto first = make();
  const auto second = link_from(first);
  const auto third = link_from(second);
  becomes_blob(third);
  expect_counts(3);
  remove(third);
  expect_counts(2);
  remove(first);
  expect_counts(2);
  remove(second);
  expect_counts(1);
}

TEST_F(SharedFilesTest, the_one_between_may_go_first) {
  const auto first = make();
  const auto second = link_from(first);
  const auto third = link_from(second);
  becomes_blob(first);
  remove(second);
  expect_counts(2);
  remove(first);
  expect_counts(2);
  remove(third);
  expect_counts(1);
}

TEST_F(SharedFilesTest, who_had_the_blobs_file_alone_does_not_count_what_others_had) {
  const auto first = make();
  const auto with_both = link_from(first);
  const auto second = link_from(with_both);
  const auto third = link_from(with_both, "own");
  becomes_blob(first);
  remove(first);
  expect_counts(4);
  remove(with_both);
  expect_counts(4);
  remove(second);
  expect_counts(3);
  remove(third);
  expect_counts(1);
}

}  // namespace
}  // namespace ingot::store
