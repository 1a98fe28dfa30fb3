#include "daemon/sandbox/firewall.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ingot::sandbox {
namespace {

TEST(Firewall, lets_steps_out_and_nowhere_else) {
  EXPECT_EQ(firewall_rules("abc", Subnet{0x0a010000}), R"(table inet ingot_abc
delete table inet ingot_abc
table inet ingot_abc {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "igabc*" drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "igabc*" oifname "igabc*" drop
    iifname "igabc*" ip saddr 10.1.0.0/20 accept
    iifname "igabc*" drop
    oifname "igabc*" ct state established,related accept
    oifname "igabc*" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 10.1.0.0/20 oifname != "igabc*" masquerade
  }
}
)");
}

TEST(Firewall, a_table_that_is_not_there_is_noticed) {
  if (geteuid() != 0) GTEST_SKIP() << "asking the kernel for its tables needs root";
  EXPECT_FALSE(firewall_is_up("neverwas"));
}

TEST(Firewall, chains_that_drop_what_they_do_not_know) {
  constexpr const char* kListing = R"(table inet ingot_abc {
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table inet other {
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
)";
  EXPECT_EQ(forward_drops(kListing, "abc"), (std::vector<std::string>{"ip filter FORWARD"}));
  EXPECT_EQ(forward_drops("", "abc"), std::vector<std::string>());
}

}  // namespace
}  // namespace ingot::sandbox
