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

class LayersOfImages : public JoinedLayersTest {
 protected:
  void SetUp() override {
    JoinedLayersTest::SetUp();
    fs::create_directories(directory / "trash");
    const std::shared_ptr<Trash> trash = std::move(*Trash::open(directory / "trash"));
    joined = std::move(*JoinedLayers::open(directory / "joined", trash));
  }
  // How many layers each piece has, runs of equal numbers told once: "2x1 1x64".
  std::string lengths(int all, std::size_t base, std::size_t most) {
    for (int i = 0; i < all; ++i) directory.file("layer" + std::to_string(i) + "/" + std::to_string(i), "x");
    std::string text;
    std::size_t count = 0;
    std::size_t next = 0;
    const auto pieces = joined->shorten_above(layers(0, all), base, most);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto length = pieces[i].last - pieces[i].first + 1;
      EXPECT_EQ(pieces[i].first, next);
      next = pieces[i].last + 1;
      EXPECT_EQ(pieces[i].path == layer(static_cast<int>(pieces[i].last)), length == 1);
      EXPECT_TRUE(fs::exists(pieces[i].path / std::to_string(pieces[i].first)));
      EXPECT_TRUE(fs::exists(pieces[i].path / std::to_string(pieces[i].last)));
      ++count;
      if (i + 1 < pieces.size() && pieces[i + 1].last - pieces[i + 1].first + 1 == length) continue;
      text += (text.empty() ? "" : " ") + std::to_string(count) + "x" + std::to_string(length);
      count = 0;
    }
    EXPECT_EQ(next, static_cast<std::size_t>(all));
    return text;
  }
  std::unique_ptr<JoinedLayers> joined;
};

TEST_F(LayersOfImages, of_few_layers_each_is_its_own) {
  EXPECT_EQ(lengths(125, 3, 125), "125x1");
}

TEST_F(LayersOfImages, the_base_is_never_joined_and_runs_begin_above_it) {
  EXPECT_EQ(lengths(133, 3, 125), "3x1 2x64 2x1");
  EXPECT_EQ(lengths(150, 3, 125), "3x1 2x64 19x1");
  EXPECT_EQ(lengths(133, 0, 125), "2x64 5x1");
}

TEST_F(LayersOfImages, a_base_of_many_layers_leaves_room_for_few) {
  EXPECT_EQ(lengths(150, 100, 125), "100x1 1x50");
  EXPECT_EQ(lengths(260, 122, 125), "122x1 2x64 1x10");
  EXPECT_EQ(lengths(260, 123, 125), "123x1 1x128 1x9");
  EXPECT_EQ(lengths(260, 125, 125), "125x1 1x135") << "one more than there should be, and as few as can be";
}

TEST_F(LayersOfImages, runs_of_other_bases_that_end_with_one_layer_are_apart_and_go_with_it) {
  lengths(133, 3, 125);
  const auto chain = layers(0, 67);
  const auto mine = joined->shorten_above(chain, 3, 4).back().path;
  const auto others = joined->shorten_above(chain, 2, 3).back().path;
  EXPECT_NE(mine, others);
  ASSERT_TRUE(joined->forget(layer(6)));
  EXPECT_TRUE(fs::exists(mine)) << "6 is no beginning of a name";
  ASSERT_TRUE(joined->forget(layer(66)));
  EXPECT_FALSE(fs::exists(mine));
  EXPECT_FALSE(fs::exists(others));
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
