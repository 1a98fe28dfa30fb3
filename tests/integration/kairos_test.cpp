#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

// An edge project whose base image is one of Kairos, as its Earthfile tells them: by their agent. What stands in for
// one here has that and a kernel, as files of a few bytes.
namespace ingot::test {
namespace {

using testing::HasSubstr;

class Kairos : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace(std::vector<std::string>{"--images", "[{match: tiny, source: oci-layout, path: '" +
                                                            registry.layout().string() +
                                                            "'}, {match: '*', source: registry, insecure: true}]"});
    const std::string image = registry.host() + "/kairos:1";
    daemon->project_file("base/Earthfile", R"(VERSION 0.8
image:
    FROM tiny
    RUN mkdir -p /usr/bin /boot && touch /usr/bin/kairos-agent && chmod +x /usr/bin/kairos-agent
    RUN echo a kernel >/boot/vmlinuz-1 && ln -s vmlinuz-1 /boot/vmlinuz && echo an initrd >/boot/initrd-1
    SAVE IMAGE --push )" + image + "\n");
    const auto made = daemon->ingot({"-C", "base", "build", "--push", "+image"});
    ASSERT_EQ(made.code, 0) << made.out << made.err;
    ASSERT_EQ(daemon->ingot({"init", "edge"}).code, 0);
    daemon->project_file("edge/.arg",
                         "OS_DISTRIBUTION=ubuntu\nOS_VERSION=22.04\nK8S_VERSION=1.32.3\nBASE_IMAGE=" + image + "\n");
    daemon->project_file("edge/Earthfile", slurp(daemon->project() / "edge/Earthfile") + R"(
looks:
    FROM +base-image
    RUN grep -qx "a kernel" /boot/kernel && grep -qx "an initrd" /boot/initrd
    RUN test ! -e /usr/lib/edge && test ! -e /oem
)");
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }

  Registry registry{RegistrySetup{}};
  std::optional<TestDaemon> daemon;
};

TEST_F(Kairos, keeps_its_own_kernel_and_initramfs_and_gets_nothing_of_ours) {
  const auto built = daemon->ingot({"-C", "edge", "build", "+looks"});
  EXPECT_EQ(built.code, 0) << built.out << built.err;
}

TEST_F(Kairos, cannot_be_signed_by_us) {
  const auto refused = daemon->ingot({"-C", "edge", "build", "+base-image", "--IS_UKI=true"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.out, HasSubstr("needs the initramfs of this project, and BASE_IMAGE is a Kairos image"));
}

// What is asked for beyond the system is put in, or the build says why not, and is not silent.
TEST_F(Kairos, has_its_additions_asked_for) {
  const auto tried = daemon->ingot({"-C", "edge", "build", "+base-image", "--TWO_NODE=true"});
  EXPECT_EQ(tried.code, 1) << "the stand-in has no package manager";
  EXPECT_THAT(tried.out, HasSubstr("apt-get install -y -qq --no-install-recommends $packages"));
}

}  // namespace
}  // namespace ingot::test
