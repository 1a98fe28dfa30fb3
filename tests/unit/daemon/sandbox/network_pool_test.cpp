#include "daemon/sandbox/network_pool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "daemon/sandbox/firewall.h"
#include "tests/support/fakes.h"
#include "tests/unit/daemon/sandbox/real_sandbox.h"

namespace ingot::sandbox {
namespace {

using testing::HasSubstr;

// Answers every TCP connection with a word, until it goes.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    socklen_t size = sizeof any;
    if (bind(socket_.get(), reinterpret_cast<sockaddr*>(&any), size) != 0 || listen(socket_.get(), 16) != 0) return;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&any), &size);
    port_ = std::to_string(ntohs(any.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Listener() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  const std::string& port() const { return port_; }

 private:
  void serve() const {
    while (!stop_) {
      pollfd ready{socket_.get(), POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      const sys::UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      (void)sys::write_all(client.get(), "reached\n");
    }
  }
  sys::UniqueFd socket_;
  std::string port_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The world: a network namespace at the other end of a link of this host, with a server in it.
class World {
 public:
  explicit World(const std::string& name) : link_("wd" + name) {
    std::thread([this] {
      if (unshare(CLONE_NEWNET) != 0) return;
      run_here({"ip", "link", "set", "lo", "up"});
      run_here({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", link_, "netns",
                "/proc/" + std::to_string(getpid()) + "/ns/net"});
      run_here({"ip", "addr", "add", address() + "/30", "dev", "eth0"});
      run_here({"ip", "link", "set", "eth0", "up"});
      server_ = std::make_unique<Listener>();
    }).join();
    run_here({"ip", "addr", "add", "198.51.100.1/30", "dev", link_});
    run_here({"ip", "link", "set", link_, "up"});
  }
  ~World() {
    server_.reset();
    run_here({"ip", "link", "delete", link_});
  }
  static std::string address() { return "198.51.100.2"; }
  std::string port() const { return server_ ? server_->port() : ""; }

 private:
  std::string link_;
  std::unique_ptr<Listener> server_;
};

class StepNetworks : public RealSandbox {
 protected:
  void SetUp() override {
    RealSandbox::SetUp();
    if (!sys::find_program("nft") || !sys::find_program("ip")) GTEST_SKIP() << "nftables or iproute2 is not installed";
  }
  // What a step with this policy hears from there.
  std::string ask(Network network, const std::string& address, const std::string& port) {
    auto spec = step("nc -w 1 " + address + " " + port + " </dev/null 2>&1 || echo no");
    spec.network = network;
    return run(spec).out;
  }
};

TEST_F(StepNetworks, egress_reaches_the_world_and_not_the_host) {
  const World world(instance_.substr(0, 6));
  const Listener host;
  EXPECT_THAT(ask(Network::egress, World::address(), world.port()), HasSubstr("reached"));
  for (const char* address : {"127.0.0.1", "198.51.100.1"}) {
    EXPECT_THAT(ask(Network::egress, address, host.port()), testing::Not(HasSubstr("reached"))) << address;
  }
  // The host's end of the step's own link.
  auto gateway = step("nc -w 1 $(ip route | grep default | cut -d' ' -f3) " + host.port() + " </dev/null 2>&1");
  gateway.network = Network::egress;
  EXPECT_THAT(run(gateway).out, testing::Not(HasSubstr("reached")));
  EXPECT_THAT(ask(Network::none, World::address(), world.port()), testing::Not(HasSubstr("reached")));
}

TEST_F(StepNetworks, steps_do_not_reach_each_other) {
  auto server = step("ip -4 addr show eth0 | grep inet; echo reached | nc -l -p 7777 >/dev/null");
  server.network = Network::egress;
  server.timeout = std::chrono::seconds(4);
  std::string address;
  std::thread client;
  std::string heard;
  auto sink = [&](sys::Stream, std::string_view bytes) {
    const auto inet = bytes.find("inet ");
    if (inet == std::string_view::npos || client.joinable()) return;
    address = bytes.substr(inet + 5, bytes.find('/', inet) - inet - 5);
    client = std::thread([&] { heard = ask(Network::egress, address, "7777"); });
  };
  sys::CancelSource enough;
  std::thread patience([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1600));
    enough.cancel();
  });
  ASSERT_TRUE(sandbox_->run(server, sink, enough.token()));
  patience.join();
  if (client.joinable()) client.join();
  EXPECT_NE(address, "");
  EXPECT_THAT(heard, HasSubstr("no"));
  EXPECT_THAT(heard, testing::Not(HasSubstr("reached")));
}

TEST_F(StepNetworks, none_has_loopback_alone) {
  auto ran = run("ls /sys/class/net; ip addr show lo | grep -o '127[^ ]*' | head -1");
  EXPECT_EQ(ran.out, "lo\n127.0.0.1/8\n") << ran.err;
}

TEST_F(StepNetworks, host_is_the_hosts) {
  sandbox_.reset();
  auto open = settings();
  open.allow_host_network = true;
  auto made = Sandbox::create(open, sys::system_processes());
  ASSERT_TRUE(made);
  sandbox_ = std::move(*made);
  const Listener host;
  EXPECT_THAT(ask(Network::host, "127.0.0.1", host.port()), HasSubstr("reached"));
  auto spec = step("cat /etc/resolv.conf");
  spec.network = Network::host;
  EXPECT_EQ(run(spec).out, test::slurp("/etc/resolv.conf"));
}

TEST_F(StepNetworks, a_flushed_firewall_is_made_again) {
  const Listener host;
  EXPECT_THAT(ask(Network::egress, "127.0.0.1", "1"), HasSubstr("no"));
  ASSERT_TRUE(firewall_is_up(instance_));
  run_here({"nft", "delete", "table", "inet", firewall_table(instance_)});
  ASSERT_FALSE(firewall_is_up(instance_));
  EXPECT_THAT(ask(Network::egress, "198.51.100.2", host.port()), testing::Not(HasSubstr("reached")));
  EXPECT_TRUE(firewall_is_up(instance_));
}

class Pool : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    if (!sys::find_program("nft") || !sys::find_program("ip")) GTEST_SKIP() << "nftables or iproute2 is not installed";
  }
  std::string instance_ = base::random_id(8);
};

TEST_F(Pool, a_network_is_used_again_and_no_two_at_once) {
  NetworkPool pool(instance_, sys::system_processes());
  std::string first;
  {
    auto one = pool.acquire();
    ASSERT_TRUE(one) << proto::render(one.error());
    auto two = pool.acquire();
    ASSERT_TRUE(two);
    EXPECT_NE(one->path(), two->path());
    first = one->path();
  }
  std::set<std::string> again;
  auto one = pool.acquire();
  auto two = pool.acquire();
  again = {one->path(), two->path()};
  EXPECT_TRUE(again.contains(first));
}

TEST_F(Pool, prepares_ahead_once) {
  NetworkPool pool(instance_, sys::system_processes());
  ASSERT_TRUE(pool.prepare());
  ASSERT_TRUE(pool.prepare_ahead(2, {}));
  EXPECT_NE(if_nametoindex(("ig" + instance_ + "1").c_str()), 0U);
  EXPECT_EQ(if_nametoindex(("ig" + instance_ + "2").c_str()), 0U);
  ASSERT_TRUE(pool.prepare_ahead(2, {}));
  EXPECT_EQ(if_nametoindex(("ig" + instance_ + "2").c_str()), 0U);
}

TEST_F(Pool, what_a_dead_daemon_left_is_no_hindrance) {
  run_here({"nft", "add", "table", "inet", firewall_table(instance_)});
  const std::string link = "ig" + instance_ + "0";
  run_here({"ip", "link", "add", link, "type", "veth", "peer", "name", "pe" + instance_});
  ASSERT_NE(if_nametoindex(link.c_str()), 0U);
  NetworkPool pool(instance_, sys::system_processes());
  auto lease = pool.acquire();
  EXPECT_TRUE(lease) << proto::render(lease.error());
}

TEST_F(Pool, a_host_without_the_tools_says_so) {
  test::FakeProcesses processes([](const sys::Command& command, const sys::OutputSink&) -> Result<sys::ExitStatus> {
    return base::fail(ErrorKind::unsupported, "cannot find the program \"" + command.argv[0] + "\"");
  });
  NetworkPool pool(instance_, processes);
  auto lease = pool.acquire();
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(lease.error().message, "cannot find the program \"nft\"");
  EXPECT_EQ(lease.error().hint,
            "steps with network \"egress\" need root, iproute2 and nftables on the host; `none` and `host` do not");
}

TEST_F(Pool, a_refusal_is_told_with_its_words) {
  test::FakeProcesses processes(
      [](const sys::Command& command, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
        sys::ExitStatus status;
        status.code = command.argv[0] == "ip" ? 2 : 0;
        if (status.code != 0) sink(sys::Stream::err, "RTNETLINK answers: no\n");
        return status;
      });
  NetworkPool pool(instance_, processes);
  // The fake's table is not in the kernel, which the second try sees and mends.
  for (int i = 0; i < 2; ++i) {
    auto lease = pool.acquire();
    ASSERT_FALSE(lease);
    EXPECT_THAT(lease.error().message, HasSubstr("ended with status 2: RTNETLINK answers: no"));
  }
}

}  // namespace
}  // namespace ingot::sandbox
