#include "daemon/solver/step_secrets.h"
#include "tests/unit/daemon/solver/played_builds.h"

namespace ingot::solver {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

graph::ExecOp secret_op(const std::string& command) {
  graph::ExecOp op;
  op.command = command;
  op.secrets = {{"TOKEN", "token"}};
  return op;
}

class SecretBuilds : public BuildTest {
 protected:
  static std::shared_ptr<const proto::Secrets> secrets(const std::string& token) {
    return std::make_shared<const proto::Secrets>(proto::Secrets{{"token", token}, {"unused", "unused value"}});
  }
  static std::shared_ptr<const base::Mask> mask(const std::string& value) {
    return std::make_shared<const base::Mask>(std::vector<std::string>{value});
  }
  static Recipe recipe_of(const std::string& command) {
    Recipe recipe;
    const auto base = recipe.scratch();
    const auto step = recipe.run(recipe.run(base, "write a 1"), command);
    auto op = secret_op(command);
    graph::Mount file;
    file.kind = graph::Mount::Kind::secret;
    file.target = "/run/secrets/token";
    file.id = "token";
    file.mode = 0440;
    op.mounts = {file};
    recipe.graph.steps[step].operation = op;
    return recipe;
  }
};

TEST_F(SecretBuilds, a_step_gets_what_it_asks_for) {
  const Recipe recipe = recipe_of("write out x");
  auto wanted = request(recipe);
  wanted.secrets = secrets("s3cr3t");
  Told told;
  Build made(*solver, wanted, told);
  ASSERT_TRUE(made.run());
  const auto spec = sandbox.last_spec();
  EXPECT_EQ(spec.secret_env, (graph::Variables{{"TOKEN", "s3cr3t"}}));
  ASSERT_EQ(spec.secret_files.size(), 1U);
  EXPECT_EQ(spec.secret_files[0].value, "s3cr3t");
  EXPECT_EQ(spec.secret_files[0].mode, 0440U);
  EXPECT_TRUE(spec.env.empty());
  EXPECT_TRUE(spec.mounts.empty());
}

TEST_F(SecretBuilds, one_that_is_missing_is_said_before_anything_runs) {
  auto ran = build(recipe_of("write out x"));
  ASSERT_FALSE(ran.status);
  EXPECT_THAT(ran.status.error().message, HasSubstr("needs the secret \"token\""));
  EXPECT_EQ(ran.status.error().position->line, 3);
  EXPECT_THAT(ran.commands, IsEmpty());
}

TEST_F(SecretBuilds, one_that_is_lost_is_said_where_it_is_needed_and_nowhere_else) {
  Recipe recipe = recipe_of("write out x");
  auto& op = std::get<graph::ExecOp>(recipe.graph.steps.back().operation);
  op.secrets.clear();
  op.mounts[0].required = false;
  auto wanted = request(recipe);
  wanted.lost_secrets = {"token"};
  Told told;
  auto status = Build(*solver, wanted, told).run();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("\"token\", which is lost"));
  EXPECT_THAT(sandbox.take_commands(), IsEmpty());
  wanted.lost_secrets = {"other"};
  EXPECT_TRUE(Build(*solver, wanted, told).run());
}

TEST_F(SecretBuilds, its_value_is_in_no_key_and_a_known_step_needs_none) {
  const Recipe recipe = recipe_of("write out x");
  for (const char* value : {"first", "second"}) {
    auto wanted = request(recipe);
    wanted.secrets = secrets(value);
    Told told;
    Build made(*solver, wanted, told);
    ASSERT_TRUE(made.run());
  }
  EXPECT_EQ(sandbox.take_commands().size(), 2U) << "nothing of the second";
  EXPECT_TRUE(build(recipe).status);
}

TEST_F(SecretBuilds, a_flight_is_shared_by_equal_values_alone) {
  const Recipe recipe = recipe_of("wait");
  std::vector<std::unique_ptr<Told>> told;
  std::vector<std::unique_ptr<Build>> builds;
  std::vector<std::thread> threads;
  std::vector<Status> results(3);
  int number = 0;
  for (const char* value : {"same", "other", "same"}) {
    auto wanted = request(recipe);
    wanted.secrets = secrets(value);
    told.push_back(std::make_unique<Told>());
    builds.push_back(std::make_unique<Build>(*solver, wanted, *told.back()));
    threads.emplace_back([&results, build = builds.back().get(), number] { results[number] = build->run(); });
    ++number;
  }
  const auto merged = [&] { return solver->counters().merged.load(); };
  for (int i = 0; i < 2000 && (sandbox.count() < 3 || merged() < 3); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(sandbox.count(), 3U) << "the first step once for all, the second once for each value";
  sandbox.let_go = true;
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result);
  builds.clear();
}

TEST_F(SecretBuilds, who_waits_for_the_step_of_another_sees_none_of_its_secrets) {
  Recipe recipe;
  recipe.run(recipe.scratch(), "print s3cr3t");
  auto wanted = request(recipe);
  wanted.secrets = secrets("s3cr3t");
  wanted.mask = mask("s3cr3t");
  Told told;
  Build made(*solver, wanted, told);
  ASSERT_TRUE(made.run());
  EXPECT_THAT(told.lines(), testing::Contains("2: ***\n"));
}

TEST(StepSecrets, a_fingerprint_tells_values_apart_and_says_nothing_of_them) {
  const auto op = secret_op("x");
  const proto::Secrets one{{"token", "value"}};
  EXPECT_EQ(fingerprint_of(one, op), fingerprint_of({{"token", "value"}, {"more", "x"}}, op));
  EXPECT_NE(fingerprint_of(one, op), fingerprint_of({{"token", "valuf"}}, op));
  EXPECT_NE(fingerprint_of(one, op), fingerprint_of({}, op));
  EXPECT_EQ(fingerprint_of(one, op).find("value"), std::string::npos);
  EXPECT_EQ(fingerprint_of(one, graph::ExecOp{}), "");
}

TEST(StepSecrets, what_no_variable_can_hold_is_said) {
  sandbox::StepSpec spec;
  auto given = give_secrets({{"token", std::string("a\0b", 3)}}, secret_op("x"), spec);
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message, HasSubstr("has a zero byte"));
  EXPECT_FALSE(give_secrets({{"token", "\xff\xfe"}}, secret_op("x"), spec)) << "JSON would change it";
  EXPECT_FALSE(give_secrets({{"token", std::string(200'000, 'x')}}, secret_op("x"), spec));
}

TEST(StepSecrets, one_may_be_left_out_where_it_is_not_required) {
  graph::ExecOp op;
  graph::Mount file;
  file.kind = graph::Mount::Kind::secret;
  file.id = "key";
  file.required = false;
  op.mounts = {file};
  EXPECT_EQ(missing_secret({}, op), "");
  sandbox::StepSpec spec;
  ASSERT_TRUE(give_secrets({}, op, spec));
  EXPECT_FALSE(spec.has_secrets());
  op.mounts[0].required = true;
  EXPECT_EQ(missing_secret({}, op), "key");
  op.secrets = {{"A", "other"}};
  EXPECT_EQ(missing_secret({{"key", ""}}, op), "other");
}

}  // namespace
}  // namespace ingot::solver
