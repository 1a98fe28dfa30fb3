#include "daemon/sandbox/resolv_conf.h"

#include <gtest/gtest.h>

namespace ingot::sandbox {
namespace {

TEST(ResolvConf, leaves_out_servers_that_a_step_cannot_reach) {
  auto made = make_resolv_conf(
      "# x\nnameserver 127.0.0.53\nnameserver 192.168.1.5\nnameserver 2001:db8::1\nnameserver 10.0.0.2\n"
      "search a.example\noptions edns0\nsortlist 1.2.3.4\n",
      {}, {"127.0.0.1", "192.168.1.5"});
  EXPECT_EQ(made.text, "nameserver 10.0.0.2\nsearch a.example\noptions edns0\n");
  EXPECT_TRUE(made.has_servers);
}

TEST(ResolvConf, says_when_none_is_left) {
  EXPECT_FALSE(make_resolv_conf("nameserver ::1\n", {}).has_servers);
  EXPECT_FALSE(make_resolv_conf("nameserver 127.0.0.1\n", {}).has_servers);
  EXPECT_FALSE(make_resolv_conf("", {}).has_servers);
}

TEST(ResolvConf, configured_servers_stand_in_for_the_hosts) {
  auto made = make_resolv_conf("nameserver 10.0.0.2\nsearch a.example\n", {"1.1.1.1", "9.9.9.9"});
  EXPECT_EQ(made.text, "nameserver 1.1.1.1\nnameserver 9.9.9.9\nsearch a.example\n");
  EXPECT_TRUE(made.has_servers);
}

}  // namespace
}  // namespace ingot::sandbox
