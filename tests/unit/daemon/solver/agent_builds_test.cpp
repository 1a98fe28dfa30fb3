#include <atomic>

#include "tests/unit/daemon/solver/played_builds.h"

// Steps that speak to the SSH agent of who builds.
namespace ingot::solver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LendingClient : public ClientSide {
 public:
  explicit LendingClient(bool lends = true) : lends_(lends) {}
  Result<int> run(const Command&, const sys::OutputSink&, const sys::CancelToken&) override { return 1; }
  Status take(const graph::TakeOp&, const Transfer&, const sys::CancelToken&) override { return {}; }
  Status give(const graph::GiveOp&, const Transfer&, const sys::CancelToken&) override { return {}; }
  Status load(const Image&, const sys::CancelToken&) override { return {}; }
  bool lends_agent() const override { return lends_; }
  Status serve_agent(int, const sys::CancelToken&) override {
    ++served;
    return fails ? Status(base::fail(ErrorKind::unavailable, "the client is gone")) : Status();
  }
  std::atomic<int> served = 0;
  bool fails = false;

 private:
  const bool lends_;
};

graph::StepId with_agent(Recipe& recipe, graph::StepId step, bool required = true) {
  graph::Mount mount;
  mount.kind = graph::Mount::Kind::ssh;
  mount.target = "/run/agent";
  mount.required = required;
  std::get<graph::ExecOp>(recipe.graph.steps[step].operation).mounts.push_back(mount);
  return step;
}

class AgentBuilds : public BuildTest {
 protected:
  Status run_with(const Recipe& recipe, const std::shared_ptr<ClientSide>& client) {
    auto wanted = request(recipe);
    wanted.client = client;
    Told told;
    Build made(*solver, wanted, told);
    return made.run();
  }
};

TEST_F(AgentBuilds, a_step_has_a_socket_and_a_variable_that_names_it) {
  Recipe recipe;
  with_agent(recipe, recipe.run(recipe.scratch(), "speak"));
  const auto client = std::make_shared<LendingClient>();
  const auto status = run_with(recipe, client);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(client->served, 1);
  const auto spec = sandbox.last_spec();
  ASSERT_EQ(spec.sockets.size(), 1U);
  EXPECT_EQ(spec.sockets[0].target, "/run/agent");
  EXPECT_EQ(spec.sockets[0].mode, 0600U);
  EXPECT_FALSE(spec.sockets[0].uid);
  EXPECT_THAT(spec.env, ElementsAre(graph::Variables::value_type("SSH_AUTH_SOCK", "/run/agent")));
  EXPECT_THAT(spec.mounts, IsEmpty());
}

TEST_F(AgentBuilds, without_an_agent_nothing_runs_and_what_is_there_needs_none) {
  Recipe recipe;
  const auto before = recipe.run(recipe.scratch(), "write out 1");
  const auto asking = with_agent(recipe, recipe.run(before, "print x"));
  for (const auto& client : {std::shared_ptr<LendingClient>(), std::make_shared<LendingClient>(false)}) {
    const auto refused = run_with(recipe, client);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "this step asks for ssh, and the client has no SSH agent with keys");
    EXPECT_THAT(refused.error().hint, HasSubstr("ssh-add"));
    EXPECT_EQ(refused.error().position->line, static_cast<int>(asking) + 1);
    EXPECT_THAT(sandbox.take_commands(), IsEmpty());
  }
  ASSERT_TRUE(run_with(recipe, std::make_shared<LendingClient>()));
  EXPECT_EQ(sandbox.take_commands().size(), 2U);
  EXPECT_TRUE(run_with(recipe, nullptr));
  EXPECT_THAT(sandbox.take_commands(), IsEmpty());
}

TEST_F(AgentBuilds, one_that_is_no_must_is_left_out) {
  Recipe recipe;
  with_agent(recipe, recipe.run(recipe.scratch(), "print x"), false);
  ASSERT_TRUE(run_with(recipe, std::make_shared<LendingClient>(false)));
  EXPECT_THAT(sandbox.last_spec().sockets, IsEmpty());
  EXPECT_THAT(sandbox.last_spec().env, IsEmpty());
}

TEST_F(AgentBuilds, the_wish_is_a_part_of_what_a_step_is) {
  Recipe with;
  with_agent(with, with.run(with.scratch(), "count out"));
  Recipe without;
  without.run(without.scratch(), "count out");
  ASSERT_TRUE(run_with(without, nullptr));
  ASSERT_TRUE(run_with(with, std::make_shared<LendingClient>()));
  EXPECT_EQ(sandbox.take_commands().size(), 2U);
}

TEST_F(AgentBuilds, why_a_step_could_not_speak_stands_beside_its_failure) {
  Recipe recipe;
  with_agent(recipe, recipe.run(recipe.scratch(), "speak fail"));
  const auto client = std::make_shared<LendingClient>();
  client->fails = true;
  const auto failed = run_with(recipe, client);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the command ended with exit code 3");
  EXPECT_EQ(failed.error().hint, "the SSH agent could not be spoken to: the client is gone");
}

// One that uses a client's agent would end with that client, whoever else waited for it.
TEST_F(AgentBuilds, equal_steps_of_two_clients_run_each_with_its_own_agent) {
  Recipe recipe;
  with_agent(recipe, recipe.run(recipe.scratch(), "wait"));
  std::vector<std::thread> builds;
  for (int i = 0; i < 2; ++i) {
    builds.emplace_back([&] { EXPECT_TRUE(run_with(recipe, std::make_shared<LendingClient>())); });
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sandbox.count() < 2 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(sandbox.count(), 2U);
  sandbox.let_go = true;
  for (auto& one : builds) one.join();
}

}  // namespace
}  // namespace ingot::solver
