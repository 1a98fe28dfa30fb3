#include "client/context/hash_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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
  std::time_t later = status.st_mtim.tv_sec + 10;
};

TEST_F(HashCacheTest, remembers_from_one_run_to_the_next) {
  HashCache first(file);
  EXPECT_FALSE(first.find("/p/f", status));
  first.remember("/p/f", status, later, kDigest);
  first.save();
  EXPECT_EQ(HashCache(file).find("/p/f", status), kDigest);
  EXPECT_FALSE(HashCache(file).find("/p/g", status));
  EXPECT_EQ(looks(file).st_mode & 0777U, 0600U);
}

TEST_F(HashCacheTest, what_changes_with_the_bytes_makes_it_forget) {
  HashCache cache(file);
  cache.remember("/p/f", status, later, kDigest);
  auto change = [&](auto how) {
    struct stat other = status;
    how(other);
    return cache.find("/p/f", other).has_value();
  };
  EXPECT_TRUE(change([](struct stat&) {}));
  EXPECT_TRUE(change([](struct stat& s) { s.st_mode = 0600; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_size; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_ino; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_dev; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_mtim.tv_nsec; }));
  EXPECT_FALSE(change([](struct stat& s) { ++s.st_ctim.tv_nsec; }));
}

TEST_F(HashCacheTest, a_file_that_could_change_within_its_time_is_not_remembered) {
  HashCache cache(file);
  cache.remember("/p/f", status, status.st_ctim.tv_sec + 1, kDigest);
  EXPECT_FALSE(cache.find("/p/f", status));
  cache.remember("/p/f", status, status.st_ctim.tv_sec + 2, kDigest);
  EXPECT_TRUE(cache.find("/p/f", status));
}

TEST_F(HashCacheTest, names_that_would_break_its_lines_are_left_out) {
  HashCache cache(file);
  cache.remember("/p/a\nb", status, later, kDigest);
  cache.remember("/p/a\tb", status, later, kDigest);
  EXPECT_FALSE(cache.find("/p/a\nb", status));
  EXPECT_FALSE(cache.find("/p/a\tb", status));
}

TEST_F(HashCacheTest, a_damaged_cache_is_an_empty_one) {
  for (const std::string text : {"", "ingot hashes 9\n", "\x00\xff garbage", "ingot hashes 1\nsha256:zz\tx\t/p/f\n",
                                 "ingot hashes 1\nno tabs at all"}) {
    directory.file("cache/ingot/hashes", text);
    HashCache cache(file);
    EXPECT_FALSE(cache.find("/p/f", status));
    cache.remember("/p/f", status, later, kDigest);
    cache.save();
    EXPECT_TRUE(HashCache(file).find("/p/f", status));
  }
}

TEST_F(HashCacheTest, a_cache_that_cannot_be_written_is_no_error) {
  HashCache cache(directory.file("plain", "") / "below" / "hashes");
  cache.remember("/p/f", status, later, kDigest);
  cache.save();
}

TEST_F(HashCacheTest, can_forget_everything) {
  HashCache cache(file);
  cache.remember("/p/f", status, later, kDigest);
  cache.forget_all();
  EXPECT_FALSE(cache.find("/p/f", status));
}

}  // namespace
}  // namespace ingot::client
