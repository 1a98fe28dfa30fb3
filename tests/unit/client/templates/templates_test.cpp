#include "client/templates/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/earthfile.h"

namespace ingot::client {
namespace {

using testing::ElementsAreArray;

std::string content_of(std::string_view path) {
  for (const auto& file : project_template()) {
    if (file.path == path) return std::string(file.content);
  }
  ADD_FAILURE() << "there is no " << path;
  return {};
}

std::set<std::string> found(const std::string& text, const std::string& expression) {
  const std::regex form(expression);
  std::set<std::string> all;
  for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at) all.insert((*at)[1]);
  return all;
}

// The README of a project tells of what its Earthfile has, and of nothing else.
class ProjectReadme : public testing::Test {
 protected:
  void SetUp() override {
    auto parsed = earthfile::parse(content_of("Earthfile"), "Earthfile");
    ASSERT_TRUE(parsed);
    earthfile = *std::move(parsed);
  }
  const std::string readme = content_of("README.md");
  earthfile::File earthfile;
};

TEST_F(ProjectReadme, tells_of_all_parameters_and_no_others) {
  const std::size_t begin = readme.find("## Parameters");
  const std::string table = readme.substr(begin, readme.find("\n## ", begin + 1) - begin);
  std::set<std::string> parameters;
  for (const auto& arg : earthfile::describe(earthfile, earthfile.base, true).args) {
    if (arg.global) parameters.insert(arg.name);
  }
  for (const char* made_of_others : {"IMAGE_TAG", "BASE", "SYSTEM_CMDLINE"}) parameters.erase(made_of_others);
  std::set<std::string> told = found(table, "[|,] `([A-Z][A-Z0-9_]*)`");
  told.insert(parameters.begin(), parameters.end());
  EXPECT_THAT(told, ElementsAreArray(parameters));
  for (const auto& name : parameters) EXPECT_NE(readme.find("`" + name), std::string::npos) << name << " is not in it";
}

TEST_F(ProjectReadme, tells_of_targets_that_there_are) {
  std::set<std::string> names;
  for (const auto& target : earthfile.targets) names.insert(target.name);
  for (const auto& name : found(readme, "`\\+([a-z-]+)`")) EXPECT_TRUE(names.contains(name)) << "+" << name;
  for (const char* name : {"build-all-images", "build-provider-images", "iso", "iso-image", "iso-disk-image",
                           "validate-user-data", "kairos-raw-image", "cloud-image", "maas-image",
                           "build-provider-images-fips", "uki-genkey", "secure-boot-dirs"}) {
    EXPECT_TRUE(names.contains(name)) << "+" << name;
    EXPECT_NE(readme.find("`+" + std::string(name) + "`"), std::string::npos) << "+" << name << " is not in it";
  }
}

}  // namespace
}  // namespace ingot::client
