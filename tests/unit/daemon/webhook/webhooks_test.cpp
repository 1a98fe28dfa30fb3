#include "daemon/webhook/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "daemon/webhook/message.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::webhook {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class WebhooksTest : public testing::Test {
 protected:
  std::unique_ptr<Webhooks> make() {
    auto hooks = std::make_unique<Webhooks>(
        Webhooks::Parts{DeliveryTable(*database), clock, processes, directory.path(),
                        [this](const std::string& id) -> Result<proto::Sweep> { return found(id); }});
    hooks->set_hooks(configured);
    return hooks;
  }
  proto::Sweep found(const std::string& id) {
    proto::Sweep sweep;
    sweep.id = id;
    sweep.name = names.at(id);
    sweep.state = state;
    return sweep;
  }
  void sql(const std::string& text) {
    ASSERT_TRUE(database->transaction([&] { return database->prepare(text).value().run(); }));
  }
  void end_sweep(const std::string& id, const std::string& name) {
    names[id] = name;
    sql("INSERT INTO sweeps (id, name, project, state, axes, job, digest, submitter_uid, submitter_gid, "
        "submitter_user, "
        "parallel, stop_after, disk_bytes, publish_whole, held, time_seconds, created_ms) VALUES ('" +
        id + "', '" + name + "', '/p', 'running', '[]', '{}', '" + id + "', 0, 0, 'root', 0, 0, 0, 0, 0, 0, 1)");
    sql("UPDATE sweeps SET state = 'succeeded', finished_ms = 2 WHERE id = '" + id + "'");
  }
  static std::string slurp_argument(const sys::Command& command, const std::string& flag) {
    const auto found = std::find(command.argv.begin(), command.argv.end(), flag);
    std::string path = found == command.argv.end() ? "" : *(found + 1);
    if (path.starts_with('@')) path.erase(0, 1);
    return test::slurp(path);
  }

  test::TempDirectory directory;
  test::FakeClock clock;
  std::unique_ptr<db::Database> database = db::Database::open(directory.path() / "db").value();
  std::vector<Hook> configured = {{"", "https://ci.example/hook", "", ""}};
  std::string answer = "204";
  std::map<std::string, std::string> names;  // of sweeps
  proto::SweepState state = proto::SweepState::succeeded;
  std::string is_down;            // a host
  std::vector<std::string> told;  // OPTIONS BODY
  test::FakeProcesses processes{
      [this](const sys::Command& command, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
        told.push_back(slurp_argument(command, "--config") + slurp_argument(command, "--data-binary"));
        const bool fails = !is_down.empty() && told.back().find(is_down) != std::string::npos;
        sink(sys::Stream::out, fails ? "502" : answer);
        return sys::ExitStatus{};
      }};
};

TEST_F(WebhooksTest, a_hook_is_told_once_of_each_sweep_that_ended) {
  const auto hooks = make();
  EXPECT_EQ(hooks->look(), std::nullopt);
  end_sweep("sweepone", "nightly");
  EXPECT_EQ(hooks->look(), std::nullopt);
  EXPECT_EQ(hooks->look(), std::nullopt);
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr("url = \"https://ci.example/hook\""), HasSubstr(R"("id":"sweepone")"),
                                      Not(HasSubstr("Ingot-Signature")))));
  EXPECT_EQ(hooks->waiting().value(), 0U);
}

TEST_F(WebhooksTest, is_told_again_with_growing_pauses_until_somebody_takes_it) {
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  answer = "503";
  EXPECT_EQ(hooks->look(), 10s);
  EXPECT_EQ(hooks->look(), 10s);
  EXPECT_EQ(told.size(), 1U);
  clock.advance(10s);
  EXPECT_EQ(hooks->look(), 20s);
  clock.advance(20s);
  EXPECT_EQ(hooks->look(), 40s);
  answer = "200";
  clock.advance(40s);
  EXPECT_EQ(hooks->look(), std::nullopt);
  EXPECT_EQ(told.size(), 4U);
}

TEST_F(WebhooksTest, another_daemon_goes_on_with_what_was_not_delivered) {
  end_sweep("sweepone", "nightly");
  answer = "503";
  make()->look();
  end_sweep("sweeptwo", "nightly");  // whose end nobody looked at
  answer = "200";
  clock.advance(10s);
  make()->look();
  EXPECT_EQ(told.size(), 3U);
  EXPECT_EQ(make()->waiting().value(), 0U);
}

TEST_F(WebhooksTest, gives_up_after_a_day) {
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  answer = "500";
  int rounds = 0;
  for (auto pause = hooks->look(); pause && rounds < 100; pause = hooks->look(), ++rounds) {
    EXPECT_LE(*pause, 1h);
    clock.advance(*pause);
  }
  EXPECT_GT(rounds, 20);
  EXPECT_LT(rounds, 40);
  EXPECT_EQ(hooks->waiting().value(), 0U);
}

TEST_F(WebhooksTest, what_ends_while_nobody_wants_to_know_is_told_to_nobody_later) {
  configured.clear();
  end_sweep("sweepone", "nightly");
  make()->look();
  configured = {{"", "https://ci.example/hook", "", ""}};
  make()->look();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(WebhooksTest, a_hook_may_be_for_some_sweeps_only) {
  configured = {{"night*", "https://night.example", "", ""}, {"", "https://all.example", "", ""}};
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  end_sweep("sweeptwo", "by-hand");
  hooks->look();
  EXPECT_EQ(told.size(), 3U);
  EXPECT_THAT(told, testing::Contains(HasSubstr("night.example")).Times(1));
}

TEST_F(WebhooksTest, is_signed_with_what_the_file_says_at_that_time) {
  configured[0].secret_file = directory.file("key", "word\n");
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  hooks->look();
  const auto seconds = clock.unix_ms() / 1000;
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr("Ingot-Timestamp: " + std::to_string(seconds)),
                                      HasSubstr("Ingot-Signature: sha256=" +
                                                signature("word", seconds, message_of(found("sweepone"))).value()))));
  EXPECT_THAT(told[0], Not(HasSubstr("word\n")));
}

TEST_F(WebhooksTest, without_its_secret_nothing_is_sent) {
  configured[0].secret_file = directory.path() / "nowhere";
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  EXPECT_EQ(hooks->look(), 10s);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(WebhooksTest, one_that_the_configuration_has_no_more_is_told_nothing) {
  answer = "500";
  end_sweep("sweepone", "nightly");
  make()->look();
  configured.clear();
  clock.advance(1min);
  const auto hooks = make();
  hooks->look();
  EXPECT_EQ(told.size(), 1U);
  EXPECT_EQ(hooks->waiting().value(), 0U);
}

// What is told is what it came to at that time: once more, it is another thing.
TEST_F(WebhooksTest, a_sweep_that_is_repeated_is_told_with_each_of_its_ends) {
  const auto hooks = make();
  answer = "503";
  state = proto::SweepState::failed;
  end_sweep("sweepone", "nightly");
  hooks->look();
  state = proto::SweepState::running;
  sql("UPDATE sweeps SET state = 'running', finished_ms = NULL WHERE id = 'sweepone'");
  answer = "200";
  clock.advance(10s);
  hooks->look();
  state = proto::SweepState::succeeded;
  sql("UPDATE sweeps SET state = 'succeeded', finished_ms = 3 WHERE id = 'sweepone'");
  hooks->look();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_THAT(told[1], HasSubstr(R"("state":"failed")"));
  EXPECT_THAT(told[2], HasSubstr(R"("state":"succeeded")"));
}

TEST_F(WebhooksTest, one_that_is_repeated_before_anybody_looked_is_told_at_its_end) {
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  state = proto::SweepState::running;
  hooks->look();
  EXPECT_THAT(told, IsEmpty());
}

// All that waits for it is put off together, and what is for others goes out.
TEST_F(WebhooksTest, a_host_that_is_down_holds_up_no_other) {
  configured = {{"", "https://down.example", "", ""}, {"", "https://up.example", "", ""}};
  const auto hooks = make();
  for (int i = 0; i < 20; ++i) end_sweep("sweep" + std::to_string(100 + i), "nightly");
  is_down = "down.example";
  EXPECT_EQ(hooks->look(), 10s);
  EXPECT_THAT(told, testing::Contains(HasSubstr("down.example")).Times(1));
  EXPECT_THAT(told, testing::Contains(HasSubstr("up.example")).Times(20));
}

TEST_F(WebhooksTest, a_schedule_that_failed_is_told_too) {
  configured = {{"night*", "https://ci.example/hook", "", ""}};
  const auto hooks = make();
  hooks->schedule_failed("nightly", "sweep.yaml:1:1: there is no key");
  hooks->schedule_failed("weekly", "no");
  hooks->look();
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr(R"("event":"schedule.failed")"), HasSubstr("there is no key"))));
}

TEST_F(WebhooksTest, a_clock_that_was_wrong_puts_nothing_off_for_long) {
  const auto hooks = make();
  answer = "503";
  end_sweep("sweepone", "nightly");
  clock.advance(24h * 365);
  hooks->look();
  clock.advance(-24h * 365);
  answer = "200";
  hooks->look();
  EXPECT_EQ(told.size(), 2U);
}

TEST_F(WebhooksTest, a_database_that_fails_is_asked_again) {
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  sql("ALTER TABLE sweep_endings RENAME TO away");
  EXPECT_EQ(hooks->look(), 1min);
  sql("ALTER TABLE away RENAME TO sweep_endings");
  hooks->look();
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(WebhooksTest, its_thread_wakes_for_a_sweep_that_ended) {
  const auto hooks = make();
  hooks->start();
  end_sweep("sweepone", "nightly");
  hooks->sweep_ended();
  for (int i = 0; i < 2000 && processes.commands().empty(); ++i) std::this_thread::sleep_for(5ms);
  hooks->stop();
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(WebhooksTest, what_curl_read_is_removed) {
  const auto hooks = make();
  end_sweep("sweepone", "nightly");
  hooks->look();
  for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("webhook"))) << entry.path();
}

}  // namespace
}  // namespace ingot::webhook
