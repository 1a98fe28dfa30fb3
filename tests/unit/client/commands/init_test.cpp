#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "client/cli/parse.h"
#include "client/commands/commands.h"
#include "client/templates/templates.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Init : public testing::Test {
 protected:
  Result<int> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", directory.path(), "--quiet"});
    auto invocation = parse_arguments(arguments);
    if (!invocation) return tl::unexpected(invocation.error());
    return find_command(invocation->command)->run(*invocation);
  }
  static std::map<std::string, std::string> files_of(const fs::path& top) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (entry.is_regular_file()) files[fs::relative(entry.path(), top)] = test::slurp(entry.path());
    }
    return files;
  }

  test::TempDirectory directory;
};

TEST_F(Init, writes_the_template_as_it_is_with_programs_that_can_be_run) {
  ASSERT_EQ(run({"init", "edge"}), 0);
  EXPECT_EQ(files_of(directory / "edge"), files_of(test::source_directory() / "edge-templates/project"));
  EXPECT_TRUE(fs::is_directory(directory / "edge/overlay/files-iso"));
  const auto mode = [&](const char* file) { return fs::status(directory.path() / "edge" / file).permissions(); };
  EXPECT_EQ(mode("edge/system/usr/lib/edge/install") & fs::perms::owner_exec, fs::perms::owner_exec);
  EXPECT_EQ(mode("Earthfile") & fs::perms::owner_exec, fs::perms::none);
}

TEST_F(Init, another_system_is_what_the_arguments_begin_with) {
  ASSERT_EQ(run({"init", "--os", "ubuntu"}), 0);
  const std::string arguments = test::slurp(directory / ".arg.template");
  EXPECT_THAT(arguments, HasSubstr("\nOS_DISTRIBUTION=ubuntu\nOS_VERSION=22.04\n"));
  EXPECT_THAT(arguments, HasSubstr("\nIMAGE_REPO=ubuntu\n"));
}

TEST_F(Init, nothing_is_written_over_and_nothing_written_beside_it) {
  directory.file("Dockerfile", "FROM mine\n");
  const auto refused = run({"init"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(" has Dockerfile already"));
  EXPECT_EQ(files_of(directory.path()), (std::map<std::string, std::string>{{"Dockerfile", "FROM mine\n"}}));
}

TEST_F(Init, a_system_that_is_not_known_is_refused_with_the_nearest) {
  const auto refused = run({"init", "--os", "debain"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().hint, HasSubstr("debian"));
}

TEST_F(Init, what_fails_half_way_leaves_nothing_of_it) {
  directory.file("new/edge/iso", "a file where a directory is to be");
  const auto failed = run({"init", "new"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(files_of(directory / "new"),
            (std::map<std::string, std::string>{{"edge/iso", "a file where a directory is to be"}}));
}

}  // namespace
}  // namespace ingot::client
