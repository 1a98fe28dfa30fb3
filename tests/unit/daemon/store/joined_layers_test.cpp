#include "daemon/store/joined_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "daemon/store/snapshots.h"
#include "daemon/store/tree_digest.h"
#include "daemon/sys/mounts.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class JoinedLayersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "overlays need root";
  }
  fs::path layer(int number) { return directory / ("layer" + std::to_string(number)); }
  std::vector<fs::path> layers(int from, int to) {
    std::vector<fs::path> some;
    for (int i = from; i < to; ++i) some.push_back(layer(i));
    return some;
  }
  sys::Mount mounted(const std::vector<fs::path>& stack, const fs::path& upper = {}) {
    fs::create_directories(directory / "merged");
    fs::path work;
    if (!upper.empty()) {
      work = directory / ("work of " + upper.filename().string());
      fs::create_directories(work);
    }
    auto mount = sys::mount_overlay(stack, upper, work, directory / "merged", directory.path());
    EXPECT_TRUE(mount) << mount.error().message;
    return std::move(*mount);
  }
  // All that a stack shows: names, kinds, contents, owners, modes, times.
  std::string shown(const std::vector<fs::path>& stack) {
    auto mount = mounted(stack);
    TreeDigestOptions options;
    options.owners = true;
    options.times = true;
    auto root = sys::RootedDir::open(mount.path());
    auto digest = tree_digest(*root, {"/"}, options);
    EXPECT_TRUE(digest) << digest.error().message;
    return digest ? digest->str() : "";
  }
  // Changes a stack at random, as steps do; what changed is the next layer.
  void write_layer(int number, std::mt19937& random) {
    fs::create_directories(layer(number));
    auto mount = mounted(layers(0, number), layer(number));
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    for (int i = 0; i < 12; ++i) {
      // A few names, so that one takes the place of another again and again.
      fs::path path = mount.path();
      for (int depth = pick(3); depth >= 0; --depth) path /= std::string(1, static_cast<char>('a' + pick(3)));
      std::error_code ignored;
      switch (pick(7)) {
        case 0:
        case 1:
          std::ofstream(path) << number << ' ' << i;
          break;
        case 2:
          fs::create_directories(path, ignored);
          break;
        case 3:
          fs::remove_all(path, ignored);
          break;
        case 4:
          fs::create_symlink("target" + std::to_string(i), path, ignored);
          break;
        case 5:
          fs::permissions(path, static_cast<fs::perms>(0700 + pick(64)), ignored);
          break;
        default:
          fs::remove_all(path, ignored);
          fs::create_directories(path, ignored);
          std::ofstream(path / "in a new one") << i;
      }
    }
  }
  void join(const std::vector<fs::path>& below, const std::vector<fs::path>& some, const fs::path& target) {
    fs::create_directories(target);
    auto joined = join_layers(some, below, target);
    ASSERT_TRUE(joined) << joined.error().message;
  }
  test::TempDirectory directory;
};

TEST_F(JoinedLayersTest, a_run_of_layers_joined_shows_what_it_showed_before) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    std::mt19937 random(seed);
    constexpr int kLayers = 8;
    fs::create_directories(layer(0));
    for (int i = 1; i < kLayers; ++i) write_layer(i, random);
    const std::string wanted = shown(layers(0, kLayers));
    // All of them (a single layer is not stacked, and shows its marks), the upper ones on those below, and some in the
    // midst.
    join({}, layers(0, kLayers), directory / "all");
    EXPECT_EQ(shown({layer(0), directory / "all"}), wanted) << "seed " << seed;
    auto stack = layers(0, 4);
    join(stack, layers(4, kLayers), directory / "top");
    stack.push_back(directory / "top");
    EXPECT_EQ(shown(stack), wanted) << "seed " << seed;
    stack = layers(0, 2);
    join(stack, layers(2, 6), directory / "midst");
    stack.push_back(directory / "midst");
    for (int i = 6; i < kLayers; ++i) stack.push_back(layer(i));
    EXPECT_EQ(shown(stack), wanted) << "seed " << seed;
    for (const auto& entry : fs::directory_iterator(directory.path())) fs::remove_all(entry.path());
  }
}

TEST_F(JoinedLayersTest, it_costs_names_and_no_bytes) {
  directory.file("layer0/d/a", "content");
  fs::create_directories(layer(1));
  join({}, layers(0, 2), directory / "joined");
  EXPECT_EQ(fs::hard_link_count(directory / "joined/d/a"), 2U);
}

TEST_F(JoinedLayersTest, attributes_of_directories_are_those_of_the_topmost) {
  fs::create_directories(layer(0) / "d");
  fs::create_directories(layer(1) / "d");
  ASSERT_EQ(setxattr((layer(1) / "d").c_str(), "user.x", "1", 1, 0), 0);
  ASSERT_EQ(chown((layer(1) / "d").c_str(), 7, 8), 0);
  join({}, layers(0, 2), directory / "joined");
  char value = 0;
  EXPECT_EQ(getxattr((directory / "joined/d").c_str(), "user.x", &value, 1), 1);
  struct stat status {};
  ASSERT_EQ(stat((directory / "joined/d").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 7U);
}

TEST_F(JoinedLayersTest, a_chain_longer_than_overlayfs_takes_can_be_mounted) {
  auto database = std::move(*db::Database::open(directory / "x.db"));
  auto store = std::move(*SnapshotStore::open(directory / "snapshots", *database));
  std::optional<Lease> last;
  constexpr int kLong = 520;
  for (int i = 0; i < kLong; ++i) {
    auto pending = store.begin(last ? std::optional(last->id()) : std::nullopt);
    ASSERT_TRUE(pending);
    std::ofstream(pending->upper() / std::to_string(i % 100)) << i;
    auto committed = store.commit(std::move(*pending));
    ASSERT_TRUE(committed);
    last = *committed;
  }
  auto chain = store.layers(last->id());
  ASSERT_TRUE(chain);
  EXPECT_LT(chain->size(), 100U);
  auto mount = mounted(*chain);
  EXPECT_EQ(test::slurp(mount.path() / "99"), "499");
  EXPECT_EQ(test::slurp(mount.path() / "0"), "500");
  ASSERT_TRUE(store.layers(last->id())) << "from what was joined before";
}

TEST_F(JoinedLayersTest, short_chains_are_left_alone) {
  fs::create_directories(directory / "trash");
  std::shared_ptr<Trash> trash = std::move(*Trash::open(directory / "trash"));
  auto joined = std::move(*JoinedLayers::open(directory / "joined", trash));
  const auto chain = layers(0, static_cast<int>(JoinedLayers::kShort) - 1);
  EXPECT_EQ(joined->shorten(chain), chain);
}

}  // namespace
}  // namespace ingot::store
