#include "daemon/sys/rooted.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::TempDirectory;

// outside/secret, and beside it the root with links of every kind of malice.
class Rooted : public testing::Test {
 protected:
  void SetUp() override {
    directory_.file("outside/secret", "secret");
    directory_.file("root/etc/passwd", "inside");
    directory_.file("root/a/b/file", "deep");
    link("absolute", "/etc/passwd");
    link("outside-absolute", (directory_ / "outside/secret").string());
    link("a/climb", "../../../../../../../../outside/secret");
    link("a/to-root", "/");
    link("a/up", "..");
    link("loop", "pool");
    link("pool", "loop");
    link("self", "self/self");
    link("chain-1", "chain-2");
    link("chain-2", "/chain-3");
    link("chain-3", "a/../../../etc/passwd");
    link("dangling", "made/later");
    link("dangling-absolute", "/made/absolute");
    link("process", "/proc/self/root/etc");
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, directory_ / ("root/" + name));
  }
  RootedDir open(RootedDir::Links links = RootedDir::Links::stay_inside) const {
    return RootedDir::open(directory_ / "root", links).value();
  }
  static std::string text(const RootedDir& root, const std::string& path) {
    auto fd = root.open_path(path, O_RDONLY);
    if (!fd) return "error: " + fd.error().message;
    std::array<char, 100> buffer{};
    const ssize_t size = read(fd->get(), buffer.data(), buffer.size());
    return size < 0 ? "unreadable" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  std::string root_name() const { return (directory_ / "root").string(); }

  TempDirectory directory_;
};

TEST_F(Rooted, EveryPathStartsAtTheRoot) {
  const auto root = open();
  for (const char* path :
       {"etc/passwd", "/etc/passwd", "//etc//passwd", "../../etc/passwd", "/../etc/passwd", "./etc/passwd",
        "a/b/../../etc/passwd", "a/up/etc/passwd", "a/to-root/etc/passwd", "a/to-root/../etc/passwd"}) {
    EXPECT_EQ(text(root, path), "inside") << path;
  }
  EXPECT_TRUE(root.exists("/"));
  EXPECT_TRUE(root.exists(""));
  EXPECT_TRUE(root.exists("."));
}

TEST_F(Rooted, NoLinkLeadsOut) {
  const auto root = open();
  EXPECT_EQ(text(root, "absolute"), "inside");
  EXPECT_EQ(text(root, "chain-1"), "inside");
  for (const char* path :
       {"outside-absolute", "a/climb", "../outside/secret", "a/up/up/../outside/secret", "process/passwd"}) {
    auto fd = root.open_path(path, O_RDONLY);
    ASSERT_FALSE(fd) << path;
    EXPECT_EQ(fd.error().kind, ErrorKind::not_found) << path;
    EXPECT_EQ(fd.error().message,
              "cannot open \"" + std::string(path) + "\" in " + root_name() + ": No such file or directory");
    EXPECT_FALSE(root.exists(path));
  }
}

TEST_F(Rooted, LoopsEnd) {
  const auto root = open();
  for (const char* path : {"loop", "self", "self/self"}) {
    auto fd = root.open_path(path, O_RDONLY);
    ASSERT_FALSE(fd) << path;
    EXPECT_EQ(fd.error().kind, ErrorKind::invalid);
    EXPECT_EQ(fd.error().message,
              "\"" + std::string(path) + "\" in " + root_name() + " is a symlink that cannot be followed");
  }
}

TEST_F(Rooted, RefusingModeSaysThatALinkLeadsOut) {
  const auto root = open(RootedDir::Links::refuse);
  EXPECT_EQ(text(root, "/etc/passwd"), "inside");
  EXPECT_EQ(text(root, "a/up/etc/passwd"), "inside");
  for (const char* path : {"absolute", "outside-absolute", "a/climb", "../outside/secret", "chain-1"}) {
    auto fd = root.open_path(path, O_RDONLY);
    ASSERT_FALSE(fd) << path;
    EXPECT_EQ(fd.error().kind, ErrorKind::denied) << path;
    EXPECT_EQ(fd.error().message, "\"" + std::string(path) + "\" leads out of " + root_name());
    EXPECT_EQ(fd.error().hint, "take the \"..\" or the symlink on its way that points outside away");
  }
}

TEST_F(Rooted, MagicLinksAreNotFollowed) {
  auto proc = RootedDir::open("/proc");
  if (!proc) GTEST_SKIP() << "this host has no /proc";
  EXPECT_FALSE(proc->exists("self/root/etc"));
  EXPECT_FALSE(proc->exists("self/cwd"));
  EXPECT_TRUE(proc->exists("self/status"));
}

TEST_F(Rooted, StatusFollowsOnlyWhenAsked) {
  const auto root = open();
  EXPECT_TRUE(S_ISLNK(root.status("absolute", false)->st_mode));
  EXPECT_TRUE(S_ISREG(root.status("absolute", true)->st_mode));
  EXPECT_TRUE(S_ISLNK(root.status("loop", false)->st_mode));
  EXPECT_FALSE(root.status("dangling", true));
  EXPECT_TRUE(S_ISDIR(root.status("/", true)->st_mode));
}

TEST_F(Rooted, CreatesFilesInsideOnly) {
  const auto root = open();
  ASSERT_TRUE(fs::create_directory(directory_ / "root/outside"));
  auto file = root.open_path("a/climb", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  EXPECT_TRUE(file);
  EXPECT_EQ(test::slurp(directory_ / "outside/secret"), "secret");
  EXPECT_TRUE(fs::exists(directory_ / "root/outside/secret"));
  EXPECT_EQ(fcntl(file->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(Rooted, MakesDirectoriesThroughLinks) {
  const auto root = open();
  const mode_t before = umask(0077);
  EXPECT_TRUE(root.make_directories("/new/one/two", 0755));
  EXPECT_TRUE(root.make_directories("a/to-root/new/three", 0711));
  EXPECT_TRUE(root.make_directories("dangling/x"));
  EXPECT_TRUE(root.make_directories("dangling-absolute"));
  EXPECT_TRUE(root.make_directories("../../../escape"));
  EXPECT_TRUE(root.make_directories("/"));
  umask(before);
  EXPECT_EQ(static_cast<unsigned>(fs::status(directory_ / "root/new/one").permissions()), 0755U);
  EXPECT_EQ(static_cast<unsigned>(fs::status(directory_ / "root/new/three").permissions()), 0711U);
  EXPECT_TRUE(fs::is_directory(directory_ / "root/made/later/x"));
  EXPECT_TRUE(fs::is_directory(directory_ / "root/made/absolute"));
  EXPECT_TRUE(fs::is_directory(directory_ / "root/escape"));
  EXPECT_FALSE(fs::exists(directory_ / "escape"));
}

TEST_F(Rooted, MakesNoDirectoryOverOrBesideWhatIsWrong) {
  const auto root = open();
  link("out", (directory_ / "outside/new").string());
  EXPECT_TRUE(root.make_directories("out")) << "made inside, at the same name";
  EXPECT_FALSE(fs::exists(directory_ / "outside/new"));
  auto made = root.make_directories("etc/passwd/below");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "cannot open \"./etc/passwd\" in " + root_name() + ": Not a directory");
  made = root.make_directories("loop/below");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::invalid);
  made = open(RootedDir::Links::refuse).make_directories("../beside");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::denied);
}

TEST_F(Rooted, ARootThatIsNotThereIsNamed) {
  auto root = RootedDir::open("/no/such");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().message, "cannot open /no/such: No such file or directory");
}

// Whoever moves directories out while a path is resolved can make it fail, and never lead out.
TEST_F(Rooted, StaysInsideWhileDirectoriesMove) {
  const auto root = open();
  std::atomic<bool> stop{false};
  std::thread mover([&] {
    const auto here = directory_ / "root/a/b";
    const auto there = directory_ / "outside/b";
    while (!stop) {
      rename(here.c_str(), there.c_str());
      rename(there.c_str(), here.c_str());
    }
  });
  for (int i = 0; i < 3000; ++i) {
    const auto got = text(root, "a/b/../../../outside/secret");
    EXPECT_NE(got, "secret");
    const auto deep = text(root, "a/b/file");
    EXPECT_TRUE(deep == "deep" || deep.ends_with("No such file or directory") ||
                deep == "error: \"a/b/file\" leads out of " + root_name())
        << deep;
  }
  stop = true;
  mover.join();
}

}  // namespace
}  // namespace ingot::sys
