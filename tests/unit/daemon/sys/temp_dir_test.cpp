#include "daemon/sys/temp_dir.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

namespace fs = std::filesystem;

TEST(TempDir, GoesWithTheObject) {
  const test::TempDirectory parent;
  fs::path path;
  {
    auto directory = TempDir::create(parent.path(), "step-");
    ASSERT_TRUE(directory);
    path = directory->path();
    EXPECT_TRUE(path.filename().string().starts_with("step-"));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    std::ofstream(path / "file") << "text";
    TempDir moved = std::move(*directory);
    EXPECT_EQ(moved.path(), path);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, AssignmentKeepsBothUntilTheirEnd) {
  const test::TempDirectory parent;
  {
    auto one = TempDir::create(parent.path(), "one-").value();
    const auto two_path = [&] {
      auto two = TempDir::create(parent.path(), "two-").value();
      one = std::move(two);
      return one.path();
    }();
    EXPECT_TRUE(fs::exists(two_path));
  }
  EXPECT_TRUE(fs::is_empty(parent.path()));
}

TEST(TempDir, NamesTheParentThatIsNotThere) {
  auto directory = TempDir::create("/no/such", "x");
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().message, "cannot make a directory in /no/such: No such file or directory");
}

}  // namespace
}  // namespace ingot::sys
