#include "client/commands/edge_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/project_names.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class EdgeChecks : public testing::Test {
 protected:
  void SetUp() override {
    directory.file("Earthfile",
                   "VERSION 0.8\nARG --global OS_DISTRIBUTION=debian\nARG --global K8S_DISTRIBUTION=k3s\n"
                   "IMPORT ./lib AS lib\nFROM scratch\niso:\n    ARG MINE=1\n    IF true\n        ARG LATE\n    END\n");
    directory.file("lib/Earthfile", "VERSION 0.8\nt:\n    FROM scratch\n    ARG --required OF_LIB\n");
    directory.file("user-data", "#cloud-config\nname: a\n");
  }
  edge::Findings check(const std::string& arg_file, const std::map<std::string, std::string>& args,
                       const std::string& target = "+iso") {
    directory.file(".arg", arg_file);
    EdgeProject project(directory.path(), directory / ".arg", look_at_project(directory.path()).args);
    auto findings = project.check(args, target);
    EXPECT_TRUE(findings) << proto::render(findings.error());
    return findings.value_or(edge::Findings{});
  }

  test::TempDirectory directory;
};

TEST_F(EdgeChecks, args_of_all_earthfiles_are_parameters) {
  EXPECT_THAT(check("", {{"MINE", "2"}, {"LATE", "x"}, {"OF_LIB", "y"}}).errors, IsEmpty());
  EXPECT_EQ(check("", {{"OTHER_THING", "2"}}).errors.size(), 1U);
}

TEST_F(EdgeChecks, a_value_has_the_line_that_gave_it) {
  const auto findings = check("# mine\nISO_NAME=a/b\nARCH=mips\n", {{"ISO_NAME", "a/b"}, {"ARCH", "sparc"}});
  ASSERT_EQ(findings.errors.size(), 2U);
  EXPECT_FALSE(findings.errors[0].position) << "the command line gave another one";
  ASSERT_TRUE(findings.errors[1].position);
  EXPECT_EQ(proto::place_of(*findings.errors[1].position), ".arg:2");
}

TEST_F(EdgeChecks, user_data_is_for_what_carries_it) {
  directory.file("user-data", "name: a\n");
  EXPECT_EQ(check("", {}).errors.size(), 1U);
  EXPECT_THAT(check("", {}, "+provider-image").errors, IsEmpty());
  std::filesystem::remove(directory / "user-data");
  EXPECT_THAT(check("", {}).errors, IsEmpty());
  ASSERT_EQ(check("", {}).warnings.size(), 1U);
  EXPECT_THAT(check("", {}).warnings.front().message, HasSubstr("there is no user-data"));
}

TEST_F(EdgeChecks, other_projects_are_let_alone) {
  directory.file("Earthfile", "VERSION 0.8\na:\n    FROM scratch\n    ARG ARCH\n");
  EXPECT_THAT(check("", {{"ARCH", "mips"}, {"WHATEVER", "1"}}).errors, IsEmpty());
}

TEST_F(EdgeChecks, versions_that_cannot_be_read_are_an_error_of_their_own) {
  directory.file("k8s_version.json", "{");
  EdgeProject project(directory.path(), directory / ".arg", look_at_project(directory.path()).args);
  EXPECT_FALSE(project.check({}, "+iso"));
}

}  // namespace
}  // namespace ingot::client
