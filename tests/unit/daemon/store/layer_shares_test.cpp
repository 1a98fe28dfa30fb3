#include "daemon/store/layer_shares.h"

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
  const auto record = [&] { return *record_blob_share(*database, id, blob, 900); };
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
  shares.with_blobs = {{blob.str(), 900}};
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
  for (const auto of : {id, other}) EXPECT_TRUE(*record_blob_share(*database, of, blob, 900));
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
  for (const auto& digest : {there, absent}) EXPECT_TRUE(*record_blob_share(*database, id, digest, 900));
  EXPECT_EQ(bytes(id), 200);
  ASSERT_TRUE(forget_shares_of_absent(*database, blobs));
  EXPECT_EQ(bytes(id), 1100);
}

}  // namespace
}  // namespace ingot::store
