#include "daemon/sys/socket_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "daemon/sys/unix_socket.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

// Gives back what it is told, until the other end closes.
void echo(int connection, const CancelToken& stop) {
  char byte = 0;
  while (!stop.canceled() && recv(connection, &byte, 1, 0) == 1) send(connection, &byte, 1, MSG_NOSIGNAL);
}

bool answers(const UniqueFd& connection, char byte) {
  char answer = 0;
  return send(connection.get(), &byte, 1, MSG_NOSIGNAL) == 1 && recv(connection.get(), &answer, 1, 0) == 1 &&
         answer == byte;
}

bool is_closed(const UniqueFd& connection) {
  char byte = 0;
  return recv(connection.get(), &byte, 1, 0) <= 0;
}

TEST(SocketServer, serves_many_at_once_each_on_its_own) {
  const test::TempDirectory directory;
  const auto server = SocketServer::open(directory / "s", echo);
  ASSERT_TRUE(server);
  std::vector<UniqueFd> all;
  for (int i = 0; i < 20; ++i) {
    auto connected = connect_unix(directory / "s");
    ASSERT_TRUE(connected);
    all.push_back(std::move(*connected));
  }
  for (std::size_t i = all.size(); i-- > 0;) EXPECT_TRUE(answers(all[i], static_cast<char>('a' + i)));
}

TEST(SocketServer, who_is_one_too_many_waits_until_another_has_ended) {
  const test::TempDirectory directory;
  const auto server = SocketServer::open(directory / "s", echo);
  ASSERT_TRUE(server);
  std::vector<UniqueFd> all;
  for (std::size_t i = 0; i < SocketServer::kMostAtOnce; ++i) {
    all.push_back(connect_unix(directory / "s").value());
    ASSERT_TRUE(answers(all.back(), 'x'));
  }
  const auto late = connect_unix(directory / "s").value();
  ASSERT_EQ(send(late.get(), "y", 1, MSG_NOSIGNAL), 1);
  pollfd waited{late.get(), POLLIN, 0};
  EXPECT_EQ(poll(&waited, 1, 500), 0) << "nobody has time for it";
  all.pop_back();
  EXPECT_EQ(poll(&waited, 1, 10'000), 1);
}

TEST(SocketServer, its_end_ends_all_connections_and_leaves_no_name) {
  const test::TempDirectory directory;
  auto server = SocketServer::open(directory / "s", echo).value();
  const auto idle = connect_unix(directory / "s").value();
  const auto busy = connect_unix(directory / "s").value();
  ASSERT_TRUE(answers(busy, 'x'));
  server.reset();
  EXPECT_TRUE(is_closed(idle));
  EXPECT_TRUE(is_closed(busy));
  EXPECT_NE(access((directory / "s").c_str(), F_OK), 0);
  EXPECT_EQ(connect_unix(directory / "s").error().kind, ErrorKind::unavailable);
}

TEST(SocketServer, who_is_served_to_the_end_hears_of_it_at_once) {
  const test::TempDirectory directory;
  const auto server = SocketServer::open(directory / "s", [](int, const CancelToken&) {}).value();
  const auto connected = connect_unix(directory / "s").value();
  EXPECT_TRUE(is_closed(connected));
}

TEST(SocketServer, a_name_may_be_longer_than_an_address_and_is_for_its_owner_alone) {
  const test::TempDirectory directory;
  const auto deep = directory / std::string(150, 'd') / std::string(150, 'e');
  std::filesystem::create_directories(deep);
  const auto server = SocketServer::open(deep / "s", echo);
  ASSERT_TRUE(server) << server.error().message;
  struct stat status {};
  ASSERT_EQ(stat((deep / "s").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_TRUE(answers(connect_unix(deep / "s").value(), 'x'));
  EXPECT_FALSE(SocketServer::open(deep / "s", echo)) << "somebody has it";
  EXPECT_FALSE(SocketServer::open(deep / std::string(120, 's'), echo));
}

}  // namespace
}  // namespace ingot::sys
