#include "daemon/sys/find_program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "daemon/sys/files.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

// PATH as a test wants it, for as long as the test runs.
class FindProgram : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* path = std::getenv("PATH")) before_ = path;
  }
  void TearDown() override { setenv("PATH", before_.c_str(), 1); }
  void program(const std::string& name, unsigned mode = 0755) {
    directory_.file(name, "#!/bin/sh\n");
    chmod((directory_ / name).c_str(), mode);
  }

  test::TempDirectory directory_;
  std::string before_;
};

TEST_F(FindProgram, TakesTheFirstExecutableFile) {
  program("one/tool", 0644);
  ASSERT_TRUE(make_directories(directory_ / "two/tool"));
  program("three/tool");
  program("four/tool");
  const std::string at = directory_.path().string();
  setenv("PATH", ("/no/such:" + at + "/one:" + at + "/two:" + at + "/three:" + at + "/four").c_str(), 1);
  EXPECT_EQ(find_program("tool").value(), at + "/three/tool");
}

TEST_F(FindProgram, TakesAPathAsItIs) {
  EXPECT_EQ(find_program("/no/such/tool").value(), "/no/such/tool");
  EXPECT_EQ(find_program("./tool").value(), "./tool");
}

TEST_F(FindProgram, LooksInSbinWhenPathDoesNot) {
  setenv("PATH", "/no/such", 1);
  auto found = find_program("mkfs");
  if (!found) GTEST_SKIP() << "this host has no mkfs";
  EXPECT_TRUE(found->ends_with("sbin/mkfs"));
}

TEST_F(FindProgram, NothingIsRunFromTheWorkingDirectory) {
  program("tool-of-the-cwd");
  const auto before = fs::current_path();
  fs::current_path(directory_.path());
  setenv("PATH", "::/no/such:", 1);
  EXPECT_FALSE(find_program("tool-of-the-cwd"));
  fs::current_path(before);
}

TEST_F(FindProgram, SaysWhatIsMissingAndWhatToDo) {
  auto found = find_program("no-such-tool");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(found.error().message, "the program \"no-such-tool\" is not installed");
  EXPECT_EQ(found.error().hint, "install the package that has it, or mend the daemon's PATH");
  EXPECT_FALSE(find_program(""));
}

}  // namespace
}  // namespace ingot::sys
