#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"
#include "tests/support/tiny_image.h"

// Images from where users have them: a real registry, with and without credentials, an archive, a package mirror.
namespace ingot::test {
namespace {

using testing::HasSubstr;

class Sources : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
  }
  static RunResult build(const std::string& images, const std::string& from,
                         const std::string& command = "echo \"tiny is $TINY\"") {
    TestDaemon daemon({"--images", images});
    daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + from + "\n    RUN " + command + "\n");
    auto built = daemon.ingot({"build", "+t"});
    daemon.stop();
    EXPECT_EQ(daemon.leftovers(), "");
    return built;
  }
};

TEST_F(Sources, a_registry_without_credentials) {
  Registry registry(false);
  auto built = build("[{match: \"*\", source: registry, insecure: true}]", registry.name());
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("tiny is yes"));
  built = build("[{match: \"*\", source: registry, insecure: true, prefix: " + registry.host() + "}]", "team/tiny:1");
  EXPECT_EQ(built.code, 0) << built.out;
}

TEST_F(Sources, a_registry_with_credentials) {
  Registry registry(true);
  auto refused = build("[{match: \"*\", source: registry, insecure: true}]", registry.name());
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.out, HasSubstr("unauthorized"));
  TempDirectory directory;
  const auto file =
      directory.file("auth.json", R"({"auths": {")" + registry.host() + R"(": {"auth": "bWU6c2VjcmV0"}}})");
  auto built =
      build("[{match: \"*\", source: registry, insecure: true, authfile: " + file.string() + "}]", registry.name());
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, testing::Not(HasSubstr("bWU6c2VjcmV0")));
}

TEST_F(Sources, archives_on_disk) {
  TempDirectory directory;
  write_tiny_image(directory / "layout");
  for (const std::string kind : {"oci-archive", "docker-archive"}) {
    const std::string path = directory / (kind + ".tar");
    const std::string tag = kind == "docker-archive" ? ":tiny:latest" : "";
    ASSERT_EQ(run_program({"skopeo", "--insecure-policy", "copy", "oci:" + (directory / "layout").string(),
                           kind + ":" + path + tag})
                  .code,
              0);
    auto built = build("[{match: \"*\", source: " + kind + ", path: " + path + "}]", "anything");
    EXPECT_EQ(built.code, 0) << kind << built.out;
  }
}

TEST_F(Sources, a_debian_from_its_package_mirror) {
  auto built = build("[{match: \"debian:*\", source: bootstrap}]", "debian:bookworm",
                     "cut -d: -f3 /etc/shadow | sort -u | tr '\\n' ' '; stat -c '%a %U %G' /etc/shadow; "
                     "ls /etc/*- /var/cache/ldconfig/* 2>/dev/null || true");
  if (built.code != 0 && built.out.find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("| 19000 640 root shadow\n")) << "nothing says on which day it was made";
  EXPECT_THAT(built.out, testing::Not(HasSubstr("| /")));
  auto unknown = build("[{match: \"debian:*\", source: bootstrap}]", "debian:bokworm");
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.out, HasSubstr("debian has no release \"bokworm\""));
}

}  // namespace
}  // namespace ingot::test
