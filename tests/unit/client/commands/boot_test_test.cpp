#include "client/commands/boot_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::client {
namespace {

using testing::HasSubstr;

TEST(BootTestWords, are_a_firmware_a_medium_and_whether_to_install) {
  const auto plain = read_boot_test("");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->firmware + " " + plain->medium, "uefi cd");
  EXPECT_FALSE(plain->install);
  const auto all = read_boot_test("install,secure-boot,usb");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->firmware + " " + all->medium, "secure-boot usb");
  EXPECT_TRUE(all->install);
  EXPECT_EQ(read_boot_test("setup-mode")->firmware, "setup-mode");
}

TEST(BootTestWords, that_are_none_or_too_many_are_refused) {
  const auto unknown = read_boot_test("uefy");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("\"uefy\" is no way to start an ISO"));
  EXPECT_THAT(unknown.error().hint, HasSubstr("did you mean \"uefi\"?"));
  EXPECT_FALSE(read_boot_test("bios,uefi"));
  EXPECT_TRUE(read_boot_test("bios,bios"));
}

}  // namespace
}  // namespace ingot::client
