#include "client/context/hash_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "daemon/base/digest.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct stat looks(const std::filesystem::path& file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0);
  return status;
}

class HashCacheTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  std::filesystem::path file = directory / "cache/ingot/hashes";
  struct stat status = looks(directory.file("f", "text"));
  timespec later{status.st_mtim.tv_sec + 10, 0};

  struct stat numbered(ino_t number) const {
    struct stat other = status;
    other.st_ino = number;
    return other;
  }
  // The saved line of a file that was last asked for so many days ago.
  std::string line(ino_t number, std::int64_t days_ago) const {
    const auto& s = status;
    return fmt::format("{}\t{}\t{} {}\t{} {}.{} {}.{}\n", kDigest, std::time(nullptr) / 86'400 - days_ago, s.st_dev,
                       number, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
  }
};

TEST_F(HashCacheTest, remembers_from_one_run_to_the_next) {
  HashCache first(file);
  EXPECT_FALSE(first.find(status));
  first.remember(status, later, kDigest);
  first.save();
  EXPECT_EQ(HashCache(file).find(status), kDigest);
  EXPECT_EQ(looks(file).st_mode & 0777U, 0600U);
  directory.file("cache/ingot/hashes", "ingot hashes 2\n" + line(5, 0));
  EXPECT_EQ(HashCache(file).find(numbered(5)), kDigest) << "the file's format";
}

TEST_F(HashCacheTest, what_changes_with_the_bytes_makes_it_forget) {
  HashCache cache(file);
  cache.remember(status, later, kDigest);
  auto change = [&](auto how) {
    struct stat other = status;
    how(other);
    return cache.find(other).has_value();
  };
  EXPECT_TRUE(change([](struct stat&) {}));
  EXPECT_TRUE(change([](struct stat& s) { s.st_mode = 0600; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_size; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_ino; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_dev; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_mtim.tv_nsec; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_ctim.tv_nsec; }));
}

TEST_F(HashCacheTest, a_file_is_known_by_all_of_its_names) {
  HashCache cache(file);
  std::filesystem::create_hard_link(directory / "f", directory / "second name");
  cache.remember(looks(directory / "f"), later, kDigest);
  EXPECT_EQ(cache.find(looks(directory / "second name")), kDigest);
}

TEST_F(HashCacheTest, a_file_that_could_change_within_its_time_is_not_remembered) {
  HashCache cache(file);
  const auto remembers = [&](long nanoseconds_of_change, std::int64_t age_in_milliseconds) {
    status.st_mtim = {1000, 0};
    status.st_ctim = {1000, nanoseconds_of_change};
    const auto looked_at = 1000 * 1'000'000'000LL + nanoseconds_of_change + age_in_milliseconds * 1'000'000;
    cache.forget_all();
    cache.remember(status, {looked_at / 1'000'000'000, looked_at % 1'000'000'000}, kDigest);
    return cache.find(status).has_value();
  };
  EXPECT_FALSE(remembers(123'456'789, 49)) << "the clock may not have ticked since";
  EXPECT_TRUE(remembers(123'456'789, 51));
  EXPECT_FALSE(remembers(0, 1999)) << "a file system that counts in seconds";
  EXPECT_TRUE(remembers(0, 2001));
  status.st_mtim = {5000, 0};
  EXPECT_FALSE(remembers(0, 0)) << "in the future";
}

TEST_F(HashCacheTest, what_others_saved_meanwhile_stays) {
  HashCache first(file);
  HashCache second(file);
  first.remember(numbered(1), later, kDigest);
  second.remember(numbered(2), later, kDigest);
  first.save();
  second.save();
  HashCache both(file);
  EXPECT_TRUE(both.find(numbered(1)));
  EXPECT_TRUE(both.find(numbered(2)));
  EXPECT_FALSE(first.find(numbered(2)));
  first.reread();
  EXPECT_TRUE(first.find(numbered(2)));
}

TEST_F(HashCacheTest, many_save_at_once_and_nothing_is_lost) {
  std::vector<std::thread> savers;
  for (ino_t i = 1; i <= 16; ++i) {
    savers.emplace_back([&, i] {
      HashCache cache(file);
      cache.remember(numbered(i), later, kDigest);
      cache.save();
    });
  }
  for (auto& saver : savers) saver.join();
  HashCache all(file);
  for (ino_t i = 1; i <= 16; ++i) EXPECT_TRUE(all.find(numbered(i))) << i;
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path())) {
    EXPECT_TRUE(entry.path() == file || entry.path() == file.string() + ".lock") << entry.path();
  }
}

TEST_F(HashCacheTest, what_nobody_asks_for_in_a_month_is_dropped) {
  directory.file("cache/ingot/hashes", "ingot hashes 2\n" + line(1, 31) + line(2, 29) + line(3, 29));
  HashCache cache(file);
  EXPECT_TRUE(cache.find(numbered(2)));
  cache.save();
  const std::string saved = test::slurp(file);
  EXPECT_EQ(saved.find(line(1, 31)), std::string::npos);
  EXPECT_NE(saved.find(line(2, 0)), std::string::npos) << "used today";
  EXPECT_NE(saved.find(line(3, 29)), std::string::npos);
}

TEST_F(HashCacheTest, it_does_not_grow_for_ever) {
  std::string text = "ingot hashes 2\n";
  for (ino_t i = 0; i < 150'010; ++i) text += line(i, i < 20 ? 9 : 2);
  directory.file("cache/ingot/hashes", text);
  HashCache cache(file);
  cache.remember(numbered(500'000), later, kDigest);
  cache.save();
  HashCache kept(file);
  EXPECT_TRUE(kept.find(numbered(500'000)));
  EXPECT_TRUE(kept.find(numbered(20)));
  int left = 0;
  for (ino_t i = 0; i < 20; ++i) left += kept.find(numbered(i)) ? 1 : 0;
  EXPECT_EQ(left, 9);
}

TEST_F(HashCacheTest, a_damaged_cache_is_an_empty_one) {
  const std::string whole = line(status.st_ino, 0);
  for (const std::string& text :
       {std::string(), std::string("ingot hashes 9\n"), std::string("\x00\xff garbage"),
        std::string("ingot hashes 1\n") + kDigest + "\tx\t/p/f\n", "ingot hashes 2\nsha256:zz" + whole.substr(71),
        std::string("ingot hashes 2\nno tabs"), "ingot hashes 2\n" + whole.substr(0, whole.size() - 1)}) {
    directory.file("cache/ingot/hashes", text);
    HashCache cache(file);
    EXPECT_FALSE(cache.find(status)) << text;
    cache.remember(status, later, kDigest);
    cache.save();
    EXPECT_TRUE(HashCache(file).find(status)) << text;
  }
}

TEST_F(HashCacheTest, a_cache_that_cannot_be_written_is_no_error) {
  HashCache cache(directory.file("plain", "") / "below" / "hashes");
  cache.remember(status, later, kDigest);
  cache.save();
}

TEST_F(HashCacheTest, can_forget_everything) {
  HashCache(file).save();
  HashCache cache(file);
  cache.remember(status, later, kDigest);
  cache.save();
  cache.forget_all();
  EXPECT_FALSE(cache.find(status));
  cache.reread();
  EXPECT_FALSE(cache.find(status));
}

}  // namespace
}  // namespace ingot::client
