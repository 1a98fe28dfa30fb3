#include "daemon/sandbox/routes.h"

#include <gtest/gtest.h>

namespace ingot::sandbox {
namespace {

constexpr const char* kTable =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "tun0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "tun0\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n";

TEST(Routes, networks_are_those_that_lead_somewhere) {
  const Routes routes = parse_routes(kTable);
  ASSERT_EQ(routes.networks.size(), 2U) << "the default routes and the half of the world are ways out";
  EXPECT_EQ(routes.networks[0].address, 0xc0000200U);
  EXPECT_EQ(routes.networks[0].mask, 0xffffff00U);
  EXPECT_EQ(routes.networks[1].address, 0x0a000000U);
  EXPECT_EQ(routes.networks[1].mask, 0xff000000U);
}

TEST(Routes, the_uplink_is_the_default_route_of_least_metric) {
  EXPECT_EQ(parse_routes(kTable).uplink, "eth0");
  EXPECT_EQ(parse_routes("").uplink, "");
}

TEST(Routes, mtu_is_the_interfaces) {
  EXPECT_EQ(mtu_of("lo"), 65536U);
  EXPECT_EQ(mtu_of("nosuch"), 1500U);
  EXPECT_EQ(mtu_of(""), 1500U);
}

}  // namespace
}  // namespace ingot::sandbox
