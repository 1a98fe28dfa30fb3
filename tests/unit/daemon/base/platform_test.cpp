#include "daemon/base/platform.h"

#include <gmock/gmock.h>

namespace ingot::base {
namespace {

using testing::HasSubstr;

std::string parsed(const std::string& text) {
  const auto platform = parse_platform(text);
  return platform ? platform->text() : "error";
}

std::string hint_of(const std::string& text) {
  const auto platform = parse_platform(text);
  return platform ? "no error" : platform.error().hint;
}

TEST(Platform, is_read_in_all_its_spellings) {
  for (const auto& [text, normal] :
       std::vector<std::pair<std::string, std::string>>{{"linux/amd64", "linux/amd64"},
                                                        {"linux/x86_64", "linux/amd64"},
                                                        {"linux/x86-64", "linux/amd64"},
                                                        {"linux/amd64/v1", "linux/amd64"},
                                                        {"linux/amd64/v3", "linux/amd64/v3"},
                                                        {"arm64", "linux/arm64"},
                                                        {"linux/aarch64", "linux/arm64"},
                                                        {"linux/arm64/v8", "linux/arm64"},
                                                        {"linux/arm64/8", "linux/arm64"},
                                                        {"linux/arm64/v9", "linux/arm64/v9"},
                                                        {"linux/arm", "linux/arm/v7"},
                                                        {"arm", "linux/arm/v7"},
                                                        {"linux/arm/7", "linux/arm/v7"},
                                                        {"linux/arm/v6", "linux/arm/v6"},
                                                        {"linux/armhf", "linux/arm/v7"},
                                                        {"linux/armel", "linux/arm/v6"},
                                                        {"i386", "linux/386"},
                                                        {"linux/386", "linux/386"},
                                                        {"Linux/ARM64", "linux/arm64"},
                                                        {"linux/ppc64le", "linux/ppc64le"},
                                                        {"s390x", "linux/s390x"},
                                                        {"linux/riscv64", "linux/riscv64"},
                                                        {"linux", native_platform().text()}}) {
    EXPECT_EQ(parsed(text), normal) << text;
  }
}

TEST(Platform, what_is_none_is_refused_with_what_may_be_meant) {
  for (const auto& [text, hint] : std::vector<std::pair<std::string, std::string>>{
           {"linux/amd46", "did you mean \"linux/amd64\"?"},
           {"linux/x64", "did you mean \"linux/amd64\"?"},
           {"linux/i686", "did you mean \"linux/386\"?"},
           {"armv7l", "did you mean \"linux/arm/v7\"?"},
           {"linux/armv8", "did you mean \"linux/arm64\"?"},
           {"linux/arm64v8", "did you mean \"linux/arm64\"?"},
           {"linux/ppc64el", "did you mean \"linux/ppc64le\"?"},
           {"linxu/arm64", "did you mean \"linux/arm64\"?"},
           {"linux/arm/v8", "of arm there are linux/arm/v5, linux/arm/v6 and linux/arm/v7; v8 is linux/arm64"},
           {"linux/amd64/v9", "of amd64 there are linux/amd64, and v2 to v4 of it"},
           {"linux/zilog", "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7"},
           {"", "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7"},
           {"linux//arm", "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7"},
           {"a/b/c/d", "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7"},
           {"linux/ppc64le/\x1b", "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7"}}) {
    EXPECT_EQ(hint_of(text), hint) << text;
  }
  EXPECT_EQ(parse_platform("linux/\x1b[2J").error().message, "\"linux/\\x1b[2J\" is no platform");
  EXPECT_EQ(parse_platform("windows/amd64").error().kind, ErrorKind::unsupported);
  EXPECT_EQ(parse_platform("darwin/arm64").error().message, "Ingot builds for Linux, not for darwin");
}

TEST(Platform, this_hosts_own_is_written_as_nothing) {
  EXPECT_EQ(foreign_platform(native_platform()), "");
  EXPECT_EQ(foreign_platform({"linux", "s390x"}), "linux/s390x");
  EXPECT_EQ(platform_of(""), native_platform());
  EXPECT_EQ(platform_of("linux/arm/v6"), (Platform{"linux", "arm", "v6"}));
}

TEST(Platform, newer_variants_run_what_was_made_for_older_ones) {
  const auto far = [](const std::string& image, const std::string& wanted) {
    return distance(*parse_platform(image), *parse_platform(wanted));
  };
  EXPECT_EQ(far("linux/arm/v7", "linux/arm/v7"), 0);
  EXPECT_EQ(far("linux/arm/v6", "linux/arm/v7"), 1);
  EXPECT_EQ(far("linux/arm/v5", "linux/arm/v7"), 2);
  EXPECT_LT(far("linux/arm/v7", "linux/arm/v6"), 0);
  EXPECT_EQ(far("linux/amd64", "linux/amd64/v3"), 2);
  EXPECT_LT(far("linux/amd64/v3", "linux/amd64"), 0);
  EXPECT_EQ(far("linux/arm64", "linux/arm64/v9"), 1);
  EXPECT_LT(far("linux/arm64", "linux/amd64"), 0);
  EXPECT_LT(far("linux/386", "linux/amd64"), 0) << "programs of both would be mixed";
}

}  // namespace
}  // namespace ingot::base
