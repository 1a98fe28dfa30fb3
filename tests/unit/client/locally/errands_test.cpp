#include "client/locally/errands.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>

#include "tests/support/fake_agent.h"
#include "tests/support/temp.h"

// The client's end, with real commands, against a daemon of the test's.
namespace ingot::client {
namespace {

using proto::LocalErrand;
using proto::LocalFrame;
using testing::HasSubstr;

class ErrandsTest : public testing::Test {
 protected:
  ErrandsTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours = sys::UniqueFd(ends[0]);
    daemon = sys::UniqueFd(ends[1]);
    errands.emplace(ours.get(), "", project.path(), Permission{true, {}});
  }
  void tell(LocalFrame kind, std::uint32_t number, std::string payload) {
    errands->take({static_cast<std::uint8_t>(kind), number, std::move(payload)});
  }
  void begin(std::uint32_t number, const LocalErrand& errand) {
    tell(LocalFrame::errand, number, proto::dump(proto::to_json(errand)));
  }
  void run(std::uint32_t number, const std::string& command) {
    LocalErrand errand;
    errand.command = command;
    begin(number, errand);
  }
  struct End {
    proto::LocalOutcome outcome;
    std::string out;
    std::string err;
    std::string bytes;
    bool whole = false;
  };
  // All that one errand says; others must be silent.
  End end_of(std::uint32_t number) {
    End end;
    while (true) {
      auto frame = sys::receive_frame(daemon.get());
      if (!frame || !*frame) {
        ADD_FAILURE() << "the connection ended";
        return end;
      }
      EXPECT_EQ((*frame)->number, number);
      const auto kind = static_cast<LocalFrame>((*frame)->kind);
      if (kind == LocalFrame::out) end.out += (*frame)->payload;
      if (kind == LocalFrame::err) end.err += (*frame)->payload;
      if (kind == LocalFrame::bytes) end.bytes += (*frame)->payload;
      if (kind == LocalFrame::end) end.whole = true;
      if (kind != LocalFrame::outcome) continue;
      end.outcome = *proto::local_outcome_from_json(*proto::parse_json((*frame)->payload));
      return end;
    }
  }

  test::TempDirectory project;
  sys::UniqueFd ours;
  sys::UniqueFd daemon;
  std::optional<Errands> errands;
};

TEST_F(ErrandsTest, a_command_has_the_place_the_own_environment_and_what_is_given) {
  setenv("LOCALLY_OWN", "own", 1);
  setenv("LOCALLY_BOTH", "own", 1);
  project.file("sub/here", "");
  LocalErrand errand;
  errand.directory = "sub";
  errand.command = "ls; echo $LOCALLY_OWN $LOCALLY_BOTH \"$GIVEN\"; echo bad >&2; cat; exit 4";
  errand.env = {{"LOCALLY_BOTH", "given"}, {"GIVEN", "a b"}};
  begin(1, errand);
  const auto end = end_of(1);
  EXPECT_EQ(end.out, "here\nown given a b\n");
  EXPECT_EQ(end.err, "bad\n");
  EXPECT_EQ(end.outcome.exit_code, 4);
  EXPECT_FALSE(end.outcome.error);
}

TEST_F(ErrandsTest, a_place_that_is_not_there_is_no_exit_code) {
  LocalErrand errand;
  errand.directory = "absent";
  errand.command = "true";
  begin(1, errand);
  const auto end = end_of(1);
  ASSERT_TRUE(end.outcome.error);
  EXPECT_THAT(end.outcome.error->message, HasSubstr("absent"));
}

TEST_F(ErrandsTest, a_cancel_ends_a_command_with_all_that_it_started) {
  run(1, "echo started; sleep 1000 & echo $! > pid; wait");
  auto started = sys::receive_frame(daemon.get());
  ASSERT_TRUE(started && *started);
  std::string pid;
  while ((pid = test::slurp(project / "pid")).find('\n') == std::string::npos) usleep(1000);
  tell(LocalFrame::cancel, 1, "");
  EXPECT_NE(end_of(1).outcome.exit_code, 0);
  for (int i = 0; i < 2000 && kill(std::stoi(pid), 0) == 0; ++i) usleep(1000);
  EXPECT_NE(kill(std::stoi(pid), 0), 0) << "what it started is still there";
}

TEST_F(ErrandsTest, the_end_of_the_connection_ends_all) {
  run(1, "echo $$ > pid; exec sleep 1000");
  run(2, "sleep 1000; true");
  std::string pid;
  while ((pid = test::slurp(project / "pid")).find('\n') == std::string::npos) usleep(1000);
  daemon.reset();
  errands.reset();
  EXPECT_NE(kill(std::stoi(pid), 0), 0);
}

TEST_F(ErrandsTest, files_are_taken_as_a_tar) {
  project.file("f", "text of f");
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::take;
  errand.source = "f";
  begin(5, errand);
  const auto end = end_of(5);
  EXPECT_FALSE(end.outcome.error);
  EXPECT_TRUE(end.whole);
  EXPECT_THAT(end.bytes, HasSubstr("text of f"));
  errand.source = "g";
  begin(6, errand);
  const auto none = end_of(6);
  ASSERT_TRUE(none.outcome.error);
  EXPECT_EQ(none.outcome.error->kind, ErrorKind::not_found);
  EXPECT_FALSE(none.whole);
}

TEST_F(ErrandsTest, files_are_given_as_a_tar_and_nothing_else_is_left) {
  project.file("f", "text of f");
  LocalErrand take;
  take.kind = LocalErrand::Kind::take;
  take.source = "f";
  begin(1, take);
  const std::string tar = end_of(1).bytes;
  LocalErrand give;
  give.kind = LocalErrand::Kind::give;
  give.destination = "g";
  begin(2, give);
  tell(LocalFrame::bytes, 2, tar.substr(0, 700));
  tell(LocalFrame::bytes, 2, tar.substr(700));
  tell(LocalFrame::end, 2, "");
  EXPECT_FALSE(end_of(2).outcome.error);
  EXPECT_EQ(test::slurp(project / "g"), "text of f");
  begin(3, give);
  tell(LocalFrame::bytes, 3, tar.substr(0, 100));
  tell(LocalFrame::cancel, 3, "");
  EXPECT_TRUE(end_of(3).outcome.error);
  begin(4, give);
  tell(LocalFrame::bytes, 4, tar);
  errands.reset();
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(project.path()))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("f", "g"));
}

TEST_F(ErrandsTest, what_cannot_be_given_is_told_before_it_has_come) {
  LocalErrand give;
  give.kind = LocalErrand::Kind::give;
  give.directory = "/proc";  // where nobody makes a file
  give.destination = "g";
  begin(1, give);
  EXPECT_TRUE(end_of(1).outcome.error);
  tell(LocalFrame::bytes, 1, "on its way already");
  tell(LocalFrame::end, 1, "");
  run(2, "true");
  EXPECT_EQ(end_of(2).outcome.exit_code, 0);
}

TEST_F(ErrandsTest, what_is_no_errand_is_answered_so) {
  tell(LocalFrame::errand, 1, "{\"kind\": \"format the disk\"}");
  const auto end = end_of(1);
  ASSERT_TRUE(end.outcome.error);
  EXPECT_EQ(end.outcome.error->kind, ErrorKind::invalid);
  tell(LocalFrame::bytes, 99, "of nothing");
  tell(LocalFrame::cancel, 99, "");
  run(2, "true");
  EXPECT_EQ(end_of(2).outcome.exit_code, 0);
}

TEST_F(ErrandsTest, what_its_user_does_not_let_it_do_is_not_done) {
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::agent;
  begin(1, errand);
  auto end = end_of(1);
  ASSERT_TRUE(end.outcome.error);
  EXPECT_EQ(end.outcome.error->kind, ErrorKind::denied);
  EXPECT_EQ(end.outcome.error->message, "the user lends no SSH agent to this job");
  test::FakeAgent agent;
  errands.emplace(ours.get(), "", project.path(), Permission{false, agent.socket()});
  std::uint32_t number = 1;
  for (const auto kind :
       {LocalErrand::Kind::run, LocalErrand::Kind::take, LocalErrand::Kind::give, LocalErrand::Kind::load}) {
    errand.kind = kind;
    errand.command = "touch made";
    errand.source = "/etc/passwd";
    errand.destination = "made";
    begin(++number, errand);
    end = end_of(number);
    ASSERT_TRUE(end.outcome.error);
    EXPECT_EQ(end.outcome.error->kind, ErrorKind::denied);
    EXPECT_EQ(end.bytes, "");
  }
  EXPECT_FALSE(std::filesystem::exists(project / "made"));
}

TEST_F(ErrandsTest, an_agent_is_spoken_to_until_nobody_needs_it) {
  test::FakeAgent agent;
  errands.emplace(ours.get(), "", project.path(), Permission{false, agent.socket()});
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::agent;
  for (const std::uint32_t number : {3U, 4U}) begin(number, errand);
  for (const std::uint32_t number : {4U, 3U, 4U}) {
    tell(LocalFrame::bytes, number, sys::agent_message("\x0d sign"));
    const auto frame = sys::receive_frame(daemon.get());
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->number, number);
    EXPECT_EQ((*frame)->payload, sys::agent_message("signed"));
  }
  tell(LocalFrame::cancel, 3, "");
  EXPECT_EQ(end_of(3).outcome.error->kind, ErrorKind::canceled);
  tell(LocalFrame::bytes, 4, "no message");
  EXPECT_EQ(end_of(4).outcome.error->kind, ErrorKind::invalid);
  EXPECT_EQ(agent.asked().size(), 3U);
}

TEST_F(ErrandsTest, an_agent_that_is_gone_is_told_of) {
  errands.emplace(ours.get(), "", project.path(), Permission{false, project / "absent"});
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::agent;
  begin(1, errand);
  EXPECT_THAT(end_of(1).outcome.error->message, HasSubstr("the SSH agent does not answer"));
}

TEST_F(ErrandsTest, keys_of_a_host_are_told_and_no_others) {
  const char* home = std::getenv("HOME");
  const std::string before = home == nullptr ? "/" : home;
  setenv("HOME", project.path().c_str(), 1);
  const std::string key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  project.file(".ssh/known_hosts",
               "host.example" + key + "\n[host.example]:2222" + key + "\nother.example" + key + "\n");
  test::FakeAgent agent;
  errands.emplace(ours.get(), "", project.path(), Permission{false, agent.socket()});
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::known_hosts;
  std::uint32_t number = 0;
  for (const auto& [host, lines] :
       std::map<std::string, std::string>{{"host.example", "host.example" + key + "\n"},
                                          {"[host.example]:2222", "[host.example]:2222" + key + "\n"},
                                          {"none.example", ""}}) {
    errand.source = host;
    begin(++number, errand);
    const auto end = end_of(number);
    EXPECT_FALSE(end.outcome.error);
    EXPECT_EQ(end.bytes, lines) << host;
  }
  for (const char* no : {"", "-oProxyCommand=x", "a b", "a;b", "a/b"}) {
    errand.source = no;
    begin(++number, errand);
    EXPECT_EQ(end_of(number).outcome.error->kind, ErrorKind::invalid) << no;
  }
  setenv("HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace ingot::client
