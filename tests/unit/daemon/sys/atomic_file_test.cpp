#include "daemon/sys/atomic_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/sys/files.h"
#include "daemon/sys/unfinished_files.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::slurp;
using test::TempDirectory;

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TempDirectory directory;
  auto file = AtomicFile::create(directory / "file");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->write("one "));
  EXPECT_TRUE(file->write("two"));
  EXPECT_FALSE(fs::exists(directory / "file"));
  EXPECT_TRUE(file->commit());
  EXPECT_EQ(slurp(directory / "file"), "one two");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(AtomicFile, LeavesNothingUncommitted) {
  const TempDirectory directory;
  directory.file("file", "old");
  {
    auto file = AtomicFile::create(directory / "file");
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->write("new"));
    AtomicFile moved = std::move(*file);
    EXPECT_EQ(entries(directory.path()), 2U);
  }
  EXPECT_EQ(slurp(directory / "file"), "old");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(AtomicFile, ReplacesWhatIsThere) {
  const TempDirectory directory;
  directory.file("file", "old");
  EXPECT_TRUE(write_file_durably(directory / "file", "new"));
  EXPECT_EQ(slurp(directory / "file"), "new");
}

TEST(AtomicFile, HasItsModeWhateverTheUmask) {
  const TempDirectory directory;
  const mode_t before = umask(0077);
  EXPECT_TRUE(write_file_durably(directory / "open", "", 0664));
  umask(0);
  EXPECT_TRUE(write_file_durably(directory / "secret", "", 0600));
  umask(before);
  EXPECT_EQ(static_cast<unsigned>(fs::status(directory / "open").permissions()), 0664U);
  EXPECT_EQ(static_cast<unsigned>(fs::status(directory / "secret").permissions()), 0600U);
}

TEST(AtomicFile, TakesTheLongestName) {
  const TempDirectory directory;
  EXPECT_TRUE(write_file_durably(directory / std::string(255, 'n'), "text"));
}

TEST(AtomicFile, TakesANameWithoutADirectory) {
  const TempDirectory directory;
  const auto before = fs::current_path();
  fs::current_path(directory.path());
  EXPECT_TRUE(write_file_durably("file", "text"));
  fs::current_path(before);
  EXPECT_EQ(slurp(directory / "file"), "text");
}

TEST(AtomicFile, ErrorsNameTheDestination) {
  auto file = AtomicFile::create("/no/such/file");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "cannot write /no/such/file: No such file or directory");

  const TempDirectory directory;
  const auto taken = directory / "taken";
  ASSERT_TRUE(make_directories(taken / "full"));
  auto written = write_file_durably(taken, "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot write " + taken.string() + ": Is a directory");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(AtomicFile, AFailedWriteSaysForWhichFile) {
  const TempDirectory directory;
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit size{};
  getrlimit(RLIMIT_FSIZE, &size);
  const rlimit small{10, size.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  auto written = write_file_durably(directory / "file", "more than ten bytes");
  setrlimit(RLIMIT_FSIZE, &size);
  sigaction(SIGXFSZ, &before, nullptr);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::too_large);
  ASSERT_EQ(written.error().context.size(), 1U);
  EXPECT_EQ(written.error().context[0], "while writing " + (directory / "file").string());
  EXPECT_EQ(entries(directory.path()), 0U);
}

TEST(UnfinishedFiles, go_and_nothing_else) {
  test::TempDirectory directory;
  {
    auto file = *AtomicFile::create(directory / "being-written");
    ASSERT_TRUE(file.write("half"));
    directory.file("other", "x");
    ASSERT_TRUE(remove_unfinished_files(directory.path()));
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{"other"});
  EXPECT_FALSE(remove_unfinished_files(directory / "nowhere"));
}

}  // namespace
}  // namespace ingot::sys
