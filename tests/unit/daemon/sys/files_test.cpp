#include "daemon/sys/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::TempDirectory;

TEST(Files, UniqueFdClosesOnceAndKeepsErrno) {
  UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.get();
  UniqueFd other(std::move(fd));
  fd = std::move(other);
  EXPECT_EQ(fd.get(), number);
  errno = EXDEV;
  fd.reset();
  EXPECT_EQ(errno, EXDEV);
  EXPECT_FALSE(fd);
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(Files, OpensCloseOnExec) {
  auto fd = open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(fd);
  EXPECT_EQ(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Files, OpenNamesTheFileThatIsNotThere) {
  auto fd = open_file("/no/such", O_RDONLY);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().kind, ErrorKind::not_found);
  EXPECT_EQ(fd.error().message, "cannot open /no/such: No such file or directory");
}

TEST(Files, ReadsFilesThatHaveNoSize) {
  auto text = read_file("/proc/self/status");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("Name:"));
}

TEST(Files, ReadsUpToItsLimit) {
  const TempDirectory directory;
  const auto path = directory.file("file", std::string(100'000, 'x'));
  EXPECT_EQ(read_file(path, 100'000).value(), std::string(100'000, 'x'));
  auto refused = read_file(path, 99'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  EXPECT_EQ(refused.error().message, path.string() + " is larger than 97.7 KiB");
}

TEST(Files, ReadingADirectoryIsAnError) {
  auto text = read_file("/");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "cannot read /: Is a directory");
}

// A pipe takes 64 KiB at a time, and the timer interrupts the calls in between.
TEST(Files, WritesAllInSpiteOfShortWritesAndSignals) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, &before);
  const itimerval often{{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);

  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  std::size_t got = 0;
  std::thread reader([&] {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
    std::vector<char> buffer(64 << 10);
    for (ssize_t size = 0; (size = read(in.get(), buffer.data(), buffer.size())) > 0;) {
      got += static_cast<std::size_t>(size);
      usleep(2000);
    }
  });
  const std::string bytes(1 << 20, 'x');
  EXPECT_TRUE(write_all(out.get(), bytes));
  out.reset();
  reader.join();
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(got, bytes.size());
}

TEST(Files, AFullDiskIsItsOwnKindOfError) {
  auto full = open_file("/dev/full", O_WRONLY);
  if (!full) GTEST_SKIP() << "this host has no /dev/full";
  auto written = write_all(full->get(), "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::no_space);
  EXPECT_EQ(written.error().message, "cannot write /dev/full: No space left on device");
  EXPECT_EQ(written.error().hint, "free some space on that file system and try again");
}

TEST(Files, CountsBytesBelowADirectoryThatOthersChange) {
  TempDirectory directory;
  directory.file("d/kept", std::string(1000, 'x'));
  EXPECT_EQ(bytes_below(directory / "d"), 1000U);
  EXPECT_EQ(bytes_below(directory / "nowhere"), 0U);
  std::atomic<bool> over = false;
  std::thread busy([&] {
    while (!over) {
      for (int i = 0; i < 20; ++i) directory.file("d/" + std::to_string(i) + "/sub/file", "y");
      for (int i = 0; i < 20; ++i) fs::remove_all(fs::path(directory / "d") / std::to_string(i));
    }
  });
  for (int i = 0; i < 500; ++i) {
    const auto bytes = bytes_below(directory / "d");
    EXPECT_GE(bytes, 1000U);
    EXPECT_LE(bytes, 2000U);
  }
  over = true;
  busy.join();
}

TEST(Files, MakesDirectoriesWithTheirParents) {
  const TempDirectory directory;
  EXPECT_TRUE(make_directories(directory / "a/b/c/"));
  EXPECT_TRUE(make_directories(directory / "a//b/c"));
  EXPECT_TRUE(make_directories(directory / "private", 0700));
  EXPECT_TRUE(fs::is_directory(directory / "a/b/c"));
  EXPECT_EQ(fs::status(directory / "private").permissions(), fs::perms::owner_all);
}

TEST(Files, MakesDirectoriesWhileOthersDo) {
  const TempDirectory directory;
  constexpr int kMakers = 4;
  std::vector<std::thread> makers;
  makers.reserve(kMakers);
  for (int i = 0; i < kMakers; ++i) {
    makers.emplace_back([&] {
      for (int n = 0; n < 100; ++n) EXPECT_TRUE(make_directories(directory / (std::to_string(n) + "/a/b")));
    });
  }
  for (auto& maker : makers) maker.join();
}

TEST(Files, AFileInTheWayOfADirectoryIsNamed) {
  const TempDirectory directory;
  const auto file = directory.file("file", "");
  auto made = make_directories(file);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::conflict);
  EXPECT_EQ(made.error().message, file.string() + " is there and is no directory");
  made = make_directories(file / "below");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "cannot make directory " + file.string() + "/below: Not a directory");
}

TEST(Files, RenamesAcrossDirectories) {
  const TempDirectory directory;
  directory.file("from/tree/file", "text");
  ASSERT_TRUE(make_directories(directory / "to"));
  EXPECT_TRUE(rename_durably(directory / "from/tree", directory / "to/tree"));
  EXPECT_EQ(test::slurp(directory / "to/tree/file"), "text");
  EXPECT_TRUE(rename_durably(directory / "to/tree/", directory / "from/back/"));
  EXPECT_TRUE(fs::exists(directory / "from/back/file"));
}

TEST(Files, RenameNamesBothEnds) {
  auto renamed = rename_durably("/no/such", "/no/other");
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().message, "cannot rename /no/such to /no/other: No such file or directory");
}

TEST(Files, KnowsTheFreeSpace) {
  const TempDirectory directory;
  auto free = free_space(directory.path());
  ASSERT_TRUE(free);
  EXPECT_GT(*free, 0U);
  EXPECT_EQ(free_space("/no/such").error().message, "cannot ask the free space of /no/such: No such file or directory");
}

}  // namespace
}  // namespace ingot::sys
