#include "daemon/store/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "daemon/base/clock.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

constexpr std::uint64_t kMany = 1'000'000;

class CollectorTest : public testing::Test {
 protected:
  CollectorTest()
      : database(*db::Database::open(directory / "x.db")), store(*SnapshotStore::open(directory / "s", *database)) {}

  // A layer that is said to have a million bytes, last used `used` minutes ago.
  SnapshotId make(std::optional<SnapshotId> parent, int used, int cost_ms = 0) {
    const auto id = store.commit(*store.begin(parent))->id();
    EXPECT_TRUE(database->transaction([&]() -> Status {
      INGOT_TRY(auto update,
                database->prepare("UPDATE snapshots SET bytes = 1000000, used_ms = used_ms - ? WHERE id = ?"));
      INGOT_CHECK(update.bind(1, std::int64_t{60'000} * used).bind(2, id).run());
      INGOT_TRY(auto step, database->prepare("INSERT INTO steps VALUES (?, 'o', '', ?, ?, 0, 0)"));
      return step.bind(1, "key" + std::to_string(id)).bind(2, id).bind(3, std::int64_t{cost_ms}).run();
    }));
    return id;
  }
  void name_an_image(SnapshotId id) {
    EXPECT_TRUE(database->transaction([&]() -> Status {
      INGOT_TRY(auto image, database->prepare("INSERT INTO images VALUES (?, 'r', 's', ?, '{}', 1, 'd')"));
      return image.bind(1, std::to_string(id)).bind(2, id).run();
    }));
  }
  Pruned prune(std::uint64_t keep) {
    Collector collector(store, *database, 0);
    return *collector.prune({keep, 0, false});
  }
  bool there(SnapshotId id) { return store.layers(id).has_value(); }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  SnapshotStore store;
};

TEST_F(CollectorTest, what_was_used_longest_ago_goes_first_and_only_as_much_as_must) {
  const auto old = make(std::nullopt, 30);
  const auto older = make(std::nullopt, 60);
  const auto fresh = make(std::nullopt, 1);
  const auto pruned = prune(2 * kMany);
  EXPECT_EQ(pruned.layers, 1U);
  EXPECT_EQ(pruned.bytes, kMany);
  EXPECT_FALSE(there(older));
  EXPECT_TRUE(there(old) && there(fresh));
}

TEST_F(CollectorTest, what_was_costly_to_make_stays_longer) {
  const auto cheap = make(std::nullopt, 10);
  const auto costly = make(std::nullopt, 60, 60'000);
  prune(kMany);
  EXPECT_FALSE(there(cheap));
  EXPECT_TRUE(there(costly));
}

TEST_F(CollectorTest, what_others_stand_on_goes_after_them) {
  const auto base = make(std::nullopt, 60);
  const auto top = make(base, 1);
  EXPECT_EQ(prune(kMany).layers, 1U);
  EXPECT_TRUE(there(base));
  EXPECT_FALSE(there(top));
  EXPECT_EQ(prune(0).layers, 1U);
}

TEST_F(CollectorTest, what_a_build_holds_stays_with_all_below_it) {
  const auto base = make(std::nullopt, 60);
  const auto held = make(base, 60);
  const auto loose = make(base, 1);
  auto lease = store.lease(held);
  EXPECT_EQ(prune(0).layers, 1U);
  EXPECT_TRUE(there(held) && there(base));
  EXPECT_FALSE(there(loose));
  lease = {};
  EXPECT_EQ(prune(0).layers, 2U);
}

TEST_F(CollectorTest, an_image_goes_only_when_nothing_else_is_left_and_nobody_holds_it) {
  const auto image = make(std::nullopt, 60);
  name_an_image(image);
  const auto step = make(image, 1);
  EXPECT_EQ(prune(kMany).layers, 1U);
  EXPECT_TRUE(there(image));
  EXPECT_FALSE(there(step));
  auto lease = store.lease(image);
  EXPECT_EQ(prune(0).layers, 0U);
  lease = {};
  EXPECT_EQ(prune(0).layers, 1U);
  EXPECT_FALSE(there(image));
}

TEST_F(CollectorTest, steps_of_what_went_are_forgotten) {
  make(std::nullopt, 1);
  prune(0);
  ASSERT_TRUE(database->read([&]() -> Status {
    INGOT_TRY(auto query, database->prepare("SELECT count(*) FROM steps"));
    INGOT_CHECK(query.step());
    EXPECT_EQ(query.number(0), 0);
    return {};
  }));
}

TEST_F(CollectorTest, only_what_is_old_enough_and_a_dry_run_takes_nothing) {
  make(std::nullopt, 5);
  const auto old = make(std::nullopt, 100);
  Collector collector(store, *database, 0);
  EXPECT_EQ(collector.prune({0, 3'600'000, true})->layers, 1U);
  EXPECT_TRUE(there(old));
  EXPECT_EQ(collector.prune({0, 3'600'000, false})->layers, 1U);
  EXPECT_FALSE(there(old));
}

TEST_F(CollectorTest, usage_counts_images_and_what_is_in_use) {
  const auto image = make(std::nullopt, 1);
  name_an_image(image);
  const auto step = make(image, 1);
  Collector collector(store, *database, 7);
  auto lease = store.lease(step);
  const auto usage = *collector.usage();
  EXPECT_EQ(usage.layers, 2U);
  EXPECT_EQ(usage.layer_bytes, 2 * kMany);
  EXPECT_EQ(usage.image_bytes, kMany);
  EXPECT_EQ(usage.in_use_bytes, kMany);
  EXPECT_EQ(usage.max_bytes, 7U);
}

TEST_F(CollectorTest, what_else_is_kept_counts_against_the_cap) {
  for (int i = 0; i < 10; ++i) make(std::nullopt, 60 - i);
  Collector collector(store, *database, 11 * kMany);
  collector.count_also([] { return OtherUsage{3, 4 * kMany, 1, kMany / 2, kMany, kMany / 2}; });
  EXPECT_EQ(collector.usage()->total_bytes(), 16 * kMany);
  collector.wake();
  while (collector.total_pruned().layers < 7) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(collector.usage()->layers, 3U) << "nine tenths of eleven, less six";
  collector.count_also({});
  EXPECT_EQ(collector.usage()->total_bytes(), 3 * kMany);
}

// Cache mounts of a million bytes each.
class FakeMounts : public Collectable {
 public:
  std::vector<Thing> unused() override {
    std::lock_guard lock(mutex_);
    std::vector<Thing> things;
    for (const auto& [name, used_ms] : mounts_) {
      if (name != held) things.push_back({name, kMany, used_ms});
    }
    return things;
  }
  std::uint64_t bytes() const override { return count() * kMany; }
  Result<bool> remove(const std::string& name) override {
    std::lock_guard lock(mutex_);
    return name != taken_again && mounts_.erase(name) > 0;
  }

  // Last used so many minutes ago.
  void add(const std::string& name, int used) {
    std::lock_guard lock(mutex_);
    mounts_[name] = base::system_clock().unix_ms() - std::int64_t{60'000} * used;
  }
  bool has(const std::string& name) const {
    std::lock_guard lock(mutex_);
    return mounts_.contains(name);
  }
  std::size_t count() const {
    std::lock_guard lock(mutex_);
    return mounts_.size();
  }
  std::string held;
  std::string taken_again;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> mounts_;
};

TEST_F(CollectorTest, cache_mounts_go_with_the_layers_by_their_last_use) {
  const auto old = make(std::nullopt, 50);
  const auto fresh = make(std::nullopt, 5);
  FakeMounts mounts;
  mounts.add("older", 60);
  mounts.add("newer", 20);
  mounts.add("recent", 2);
  Collector collector(store, *database, 0);
  collector.collect_also(&mounts);
  const auto foreseen = *collector.prune({3 * kMany, 0, true});
  const auto pruned = *collector.prune({3 * kMany, 0, false});
  for (const auto& said : {foreseen, pruned, collector.total_pruned()}) {
    EXPECT_EQ(said.layers, 1U);
    EXPECT_EQ(said.bytes, kMany);
    EXPECT_EQ(said.cache_mounts, 1U);
    EXPECT_EQ(said.cache_mount_bytes, kMany);
  }
  EXPECT_FALSE(there(old) || mounts.has("older"));
  EXPECT_TRUE(there(fresh) && mounts.has("newer"));
  EXPECT_EQ(collector.prune({0, 600'000, false})->cache_mounts, 1U) << "older than ten minutes";
  EXPECT_TRUE(there(fresh) && mounts.has("recent"));
}

TEST_F(CollectorTest, a_cache_mount_in_use_stays_and_what_was_given_is_not_asked_for_ever) {
  FakeMounts mounts;
  mounts.add("held", 60);
  mounts.add("taken again", 60);
  mounts.add("loose", 1);
  mounts.held = "held";
  mounts.taken_again = "taken again";
  Collector collector(store, *database, 0);
  collector.collect_also(&mounts);
  EXPECT_EQ(collector.prune({})->cache_mounts, 1U);
  EXPECT_EQ(mounts.count(), 2U);
  mounts.held = mounts.taken_again = "";
  collector.collect_also(nullptr);
  EXPECT_EQ(collector.prune({})->cache_mounts, 0U);
}

TEST_F(CollectorTest, over_the_cap_and_for_a_job_cache_mounts_make_room) {
  FakeMounts mounts;
  mounts.add("a", 90);
  mounts.add("b", 80);
  mounts.add("c", 1);
  const auto layer = make(std::nullopt, 40);
  Collector collector(store, *database, 3 * kMany);
  collector.count_also([&] { return OtherUsage{0, 0, 0, 0, 0, mounts.bytes(), mounts.count()}; });
  collector.collect_also(&mounts);
  collector.wake();
  while (collector.total_pruned().cache_mounts < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_TRUE(there(layer)) << "nine tenths of three are two";
  EXPECT_TRUE(*collector.make_room(2 * kMany));
  EXPECT_FALSE(there(layer));
  EXPECT_TRUE(*collector.make_room(3 * kMany));
  EXPECT_TRUE(mounts.count() == 0);
  collector.count_also({});
}

TEST_F(CollectorTest, room_is_made_when_it_is_asked_for_and_only_as_much) {
  std::vector<SnapshotId> made;
  for (int i = 0; i < 5; ++i) made.push_back(make(std::nullopt, 60 - i));
  Collector collector(store, *database, 6 * kMany);
  EXPECT_TRUE(*collector.make_room(kMany));
  EXPECT_EQ(collector.usage()->layers, 5U);
  EXPECT_TRUE(*collector.make_room(3 * kMany));
  EXPECT_EQ(collector.usage()->layers, 3U);
  EXPECT_FALSE(there(made[0]) || there(made[1]));
  auto lease = store.lease(made[2]);
  EXPECT_FALSE(*collector.make_room(6 * kMany)) << "one is held";
  EXPECT_EQ(collector.usage()->layers, 1U);
  EXPECT_FALSE(*collector.make_room(7 * kMany)) << "more than the cap";
  EXPECT_FALSE(*collector.make_room(1ULL << 60U)) << "more than the disk";
}

TEST_F(CollectorTest, over_its_cap_it_collects_by_itself) {
  for (int i = 0; i < 10; ++i) make(std::nullopt, 60 - i);
  Collector collector(store, *database, 5 * kMany);
  collector.wake();
  while (collector.usage()->layers > 4) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(collector.usage()->layers, 4U);
}

}  // namespace
}  // namespace ingot::store
