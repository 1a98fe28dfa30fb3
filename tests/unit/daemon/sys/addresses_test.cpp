#include "daemon/sys/addresses.h"

#include <gmock/gmock.h>

namespace ingot::sys {
namespace {

using testing::Contains;

TEST(Addresses, some_are_at_home_wherever_they_are_written) {
  const std::vector<std::string> own = {"10.1.2.3", "fd00::7"};
  for (const char* home : {"127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "10.1.2.3", "::1", "::", "fe80::1",
                           "fd00::7", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.0.1"}) {
    EXPECT_TRUE(is_at_home(home, own)) << home;
  }
  for (const char* elsewhere : {"10.1.2.4", "192.168.1.1", "140.82.121.4", "fd00::8", "2606:50c0::1",
                                "::ffff:140.82.121.4", "169.253.0.1", "nonsense", ""}) {
    EXPECT_FALSE(is_at_home(elsewhere, own)) << elsewhere;
  }
}

TEST(Addresses, names_and_what_only_looks_like_one) {
  EXPECT_THAT(addresses_of("localhost"), Contains(testing::AnyOf("127.0.0.1", "::1")));
  for (const char* loopback : {"127.0.0.1", "127.1", "2130706433", "0x7f000001"}) {
    EXPECT_THAT(addresses_of(loopback), Contains("127.0.0.1")) << loopback;
  }
  EXPECT_THAT(addresses_of("::1"), Contains("::1"));
  EXPECT_TRUE(addresses_of("no such name").empty());
}

TEST(Addresses, the_hosts_own_have_loopback_among_them) {
  EXPECT_THAT(interface_addresses(), Contains("127.0.0.1"));
}

}  // namespace
}  // namespace ingot::sys
