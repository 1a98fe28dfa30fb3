#include "client/context/hash_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <future>
#include <thread>

#include "daemon/base/digest.h"
#include "tests/support/temp.h"

// What several do who hash the same at the same time; the rest is tested by scan_test.
namespace ingot::client {
namespace {

const std::string kPlanted = "sha256:" + std::string(64, 'c');

class HashFilesTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  std::filesystem::path cache_file = directory / "cache/hashes";
  std::filesystem::path large = directory.file("p/large", std::string(2 << 20, 'x'));

  std::string digest_of(const std::string& name, std::uint64_t size) {
    HashCache cache(cache_file);
    proto::ContextManifest manifest;
    manifest.entries.emplace_back();
    manifest.entries.back().path = name;
    manifest.entries.back().size = size;
    auto hashed = hash_files(directory / "p", cache, manifest);
    EXPECT_TRUE(hashed) << proto::render(hashed.error());
    return manifest.entries.back().digest;
  }
  // As if somebody else had hashed it.
  void plant() {
    HashCache others(cache_file);
    struct stat status {};
    ASSERT_EQ(stat(large.c_str(), &status), 0);
    others.remember(status, {status.st_ctim.tv_sec + 10, 0}, kPlanted);
    others.save();
  }
};

TEST_F(HashFilesTest, who_comes_while_another_hashes_waits_and_finds_what_that_one_found) {
  auto busy = HashCache(cache_file).lock(directory / "p", std::chrono::milliseconds(0));
  ASSERT_TRUE(busy);
  auto second = std::async(std::launch::async, [&] { return digest_of("large", 2 << 20); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  plant();
  busy.reset();
  EXPECT_EQ(second.get(), kPlanted);
}

TEST_F(HashFilesTest, nobody_waits_for_ever_nor_for_little) {
  auto busy = HashCache(cache_file).lock(directory / "p", std::chrono::milliseconds(0));
  ASSERT_TRUE(busy);
  EXPECT_EQ(digest_of("large", 2 << 20), base::Digest::of(std::string(2 << 20, 'x')).str());
  directory.file("p/small", "text");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(digest_of("small", 4), base::Digest::of("text").str());
  plant();
  EXPECT_EQ(digest_of("large", 2 << 20), kPlanted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(400))
      << "half of the shortest patience";
}

}  // namespace
}  // namespace ingot::client
