#include "daemon/solver/step_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp.h"

namespace ingot::solver {
namespace {

TEST(StepFile, is_read_inside_of_the_file_system_alone) {
  test::TempDirectory directory;
  directory.file("root/d/Dockerfile", "FROM tiny\n");
  directory.file("outside", "secret");
  std::filesystem::create_symlink("/d/Dockerfile", directory / "root/link");
  std::filesystem::create_symlink((directory / "outside").string(), directory / "root/out");
  ASSERT_EQ(mkfifo((directory / "root/pipe").c_str(), 0600), 0);
  const auto root = *sys::RootedDir::open(directory / "root");
  EXPECT_EQ(*text_of_file(root, "/d/Dockerfile"), "FROM tiny\n");
  EXPECT_EQ(*text_of_file(root, "/link"), "FROM tiny\n");
  EXPECT_EQ(text_of_file(root, "/out").error().kind, ErrorKind::not_found);
  EXPECT_EQ(text_of_file(root, "/d").error().kind, ErrorKind::invalid);
  EXPECT_EQ(text_of_file(root, "/pipe").error().kind, ErrorKind::invalid);
  directory.file("root/large", std::string((16U << 20) + 1, 'x'));
  EXPECT_EQ(text_of_file(root, "/large").error().kind, ErrorKind::too_large);
}

}  // namespace
}  // namespace ingot::solver
