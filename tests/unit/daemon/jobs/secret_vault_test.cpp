#include "daemon/jobs/secret_vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "daemon/sys/in_memory.h"
#include "tests/support/temp.h"

namespace ingot::jobs {
namespace {

// A directory in memory, as the vault wants it.
class SecretVaultTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!sys::is_in_memory("/dev/shm")) GTEST_SKIP() << "/dev/shm is not in memory";
    auto made = sys::TempDir::create("/dev/shm", "ingot-test-");
    ASSERT_TRUE(made);
    memory.emplace(std::move(*made));
  }
  fs::path place() const { return memory->path() / "secrets/instance"; }
  static unsigned mode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  std::optional<sys::TempDir> memory;
  const proto::Secrets secrets{{"TOKEN", "value"}, {"key", std::string("\0\xff\n", 3)}, {"empty", ""}};
};

TEST_F(SecretVaultTest, keeps_a_jobs_secrets_over_its_own_end) {
  ASSERT_TRUE(SecretVault(place()).put("job1", secrets));
  EXPECT_EQ(SecretVault(place()).get("job1").value_or(proto::Secrets()), secrets);
  EXPECT_EQ(SecretVault(place()).get("job2").error().kind, ErrorKind::not_found);
}

TEST_F(SecretVaultTest, is_for_its_owner_alone) {
  const mode_t before = umask(022);
  ASSERT_TRUE(SecretVault(place()).put("job1", secrets));
  EXPECT_EQ(mode(place()), 0700U);
  EXPECT_EQ(mode(place().parent_path()), 0700U);
  const fs::path deeper = memory->path() / "run/ingot/secrets/x";
  ASSERT_TRUE(SecretVault(deeper).put("job1", secrets));
  EXPECT_EQ(mode(memory->path() / "run/ingot"), 0755U) << "the socket is there, and for others";
  umask(before);
  EXPECT_EQ(mode(place() / "job1"), 0600U);
}

TEST_F(SecretVaultTest, leaves_nothing_when_the_last_job_has_ended) {
  SecretVault vault(place());
  ASSERT_TRUE(vault.put("job1", secrets));
  ASSERT_TRUE(vault.put("job2", secrets));
  vault.remove("job1");
  EXPECT_FALSE(vault.get("job1"));
  EXPECT_TRUE(vault.get("job2"));
  vault.remove("job2");
  vault.remove("job2");
  EXPECT_FALSE(fs::exists(place().parent_path()));
  EXPECT_TRUE(vault.put("job3", secrets)) << "and begins anew";
}

TEST_F(SecretVaultTest, sweeps_what_no_job_needs_and_what_was_never_finished) {
  SecretVault vault(place());
  for (const char* job : {"ended", "alive"}) ASSERT_TRUE(vault.put(job, secrets));
  std::ofstream(place() / "alive.new") << "half";
  vault.keep_only([](const std::string& job) { return job == "alive"; });
  EXPECT_TRUE(vault.get("alive"));
  EXPECT_FALSE(vault.get("ended"));
  EXPECT_FALSE(fs::exists(place() / "alive.new"));
}

TEST_F(SecretVaultTest, writes_to_no_disk) {
  test::TempDirectory disk;
  if (sys::is_in_memory(disk.path())) GTEST_SKIP() << "temporary files are in memory here";
  auto put = SecretVault(disk / "secrets/instance").put("job1", secrets);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(put.error().hint, testing::HasSubstr("secrets.directory"));
  EXPECT_FALSE(fs::exists(disk / "secrets"));
}

TEST_F(SecretVaultTest, goes_to_no_directory_that_others_see_into) {
  fs::create_directories(place());
  fs::permissions(place(), fs::perms(0755));
  fs::permissions(place().parent_path(), fs::perms(0700));
  auto put = SecretVault(place()).put("job1", secrets);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::denied);
  EXPECT_FALSE(fs::exists(place() / "job1"));
  fs::remove(place());
  fs::create_directory_symlink(memory->path(), place());
  EXPECT_FALSE(SecretVault(place()).put("job1", secrets));
}

TEST_F(SecretVaultTest, finds_a_place_by_itself) {
  EXPECT_EQ(SecretVault::place_for("/x", "abc"), "/x/abc");
  const fs::path found = SecretVault::place_for("auto", "abc");
  EXPECT_EQ(found.filename(), "abc");
  EXPECT_TRUE(sys::is_in_memory(found)) << found;
}

}  // namespace
}  // namespace ingot::jobs
