#include <mutex>

#include "tests/unit/daemon/solver/played_builds.h"

// Steps that a client does.
namespace ingot::solver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Result<sys::Captured> run_tar(std::vector<std::string> arguments) {
  sys::Command command;
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), "tar");
  return sys::capture(sys::system_processes(), command);
}

// Writes down what it is asked, and has one file.
class PlayedClient : public ClientSide {
 public:
  Result<int> run(const Command& command, const sys::OutputSink& output, const sys::CancelToken&) override {
    std::string told = "run " + command.text;
    for (const auto& [name, value] : command.env) told += " " + name + "=" + value;
    tell(told);
    output(sys::Stream::out, "said\n");
    return command.text == "fail" ? 3 : 0;
  }
  Status take(const graph::TakeOp& op, const Transfer& into, const sys::CancelToken&) override {
    tell("take " + op.source);
    const test::TempDirectory directory;
    directory.file("out", "theirs");
    directory.file(".wh.out", "a name like any other");
    const auto packed = run_tar({"-cf", into.tar, "-C", directory.path(), "out", ".wh.out"});
    return packed && packed->status.ok() ? Status() : base::fail(ErrorKind::internal, "no tar");
  }
  Status give(const graph::GiveOp& op, const Transfer& from, const sys::CancelToken&) override {
    const auto listed = run_tar({"-tf", from.tar});
    tell("give " + op.destination + ": " + (listed ? listed->out : "nothing"));
    return {};
  }
  Status load(const Image& image, const sys::CancelToken&) override {
    tell("load " + image.name);
    return {};
  }
  bool lends_agent() const override { return false; }
  Status serve_agent(int, const sys::CancelToken&) override { return {}; }
  std::vector<std::string> told() {
    std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }

 private:
  void tell(const std::string& what) {
    std::lock_guard lock(mutex_);
    told_.push_back(what);
  }
  std::mutex mutex_;
  std::vector<std::string> told_;
};

graph::StepId add_local(Recipe& recipe, graph::StepId parent, graph::Operation operation) {
  graph::Step step;
  step.operation = std::move(operation);
  step.parent = parent;
  step.position.line = static_cast<int>(recipe.graph.steps.size()) + 1;
  recipe.graph.steps.push_back(std::move(step));
  return recipe.graph.steps.size() - 1;
}

graph::ExecOp local_command(const std::string& text) {
  graph::ExecOp op;
  op.command = text;
  op.local = graph::LocalPlace{"", "+t"};
  return op;
}

TEST_F(BuildTest, what_is_done_locally_is_done_in_order_and_in_each_build) {
  Recipe recipe;
  auto secret = local_command("two");
  secret.secrets = {{"TOKEN", "token"}};
  const auto one = add_local(recipe, recipe.scratch(), local_command("one"));
  const auto two = add_local(recipe, one, secret);
  const auto taken = add_local(recipe, two, graph::TakeOp{{"", "+t"}, "out", false});
  const auto copied = recipe.copy_from(recipe.scratch(), taken, "/out", "/out");
  recipe.copy_from(recipe.scratch(), taken, "/.wh.out", "/also");
  add_local(recipe, taken, graph::GiveOp{{"", "+t"}, copied, "there", false});
  for (const bool again : {false, true}) {
    const auto client = std::make_shared<PlayedClient>();
    auto wanted = request(recipe);
    wanted.client = client;
    wanted.secrets = std::make_shared<const proto::Secrets>(proto::Secrets{{"token", "s"}});
    Told told;
    Build made(*solver, wanted, told);
    const auto status = made.run();
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_THAT(client->told(), ElementsAre("run one", "run two TOKEN=s", "take out", "give there: out\n"));
    EXPECT_THAT(told.lines(), testing::Contains("2: said\n"));
    EXPECT_EQ(made.how(copied), again ? "same content" : "executed") << "what stands on it may be known";
    EXPECT_THAT(sandbox.take_commands(), IsEmpty());
  }
}

TEST_F(BuildTest, what_fails_locally_fails_where_it_stands_and_an_answer_is_one) {
  Recipe recipe;
  const auto failing = add_local(recipe, recipe.scratch(), local_command("fail"));
  recipe.graph.steps[failing].position.line = 7;
  auto wanted = request(recipe);
  wanted.client = std::make_shared<PlayedClient>();
  {
    Told told;
    Build made(*solver, wanted, told);
    const auto status = made.run();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::step_failed);
    EXPECT_EQ(status.error().message, "the command ended with exit code 3");
    EXPECT_EQ(status.error().exit_code, 3);
    EXPECT_THAT(told.lines(), testing::Contains(testing::HasSubstr("3"))) << "as the end of the step";
    EXPECT_EQ(status.error().position->line, 7);
  }
  std::get<graph::ExecOp>(recipe.graph.steps[failing].operation).asks = true;
  Told told;
  Build asked(*solver, wanted, told);
  ASSERT_TRUE(asked.run());
  const auto answer = asked.answer(failing);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->exit_code, 3);
  EXPECT_EQ(answer->output, "said\n");
}

}  // namespace
}  // namespace ingot::solver
