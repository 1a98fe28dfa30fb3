#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "daemon/shell/shell.h"
#include "tests/support/temp.h"
#include "tests/unit/daemon/shell/condition_generator.h"

// Thousands of conditions that are made up at random, each given to the real shells too. INGOT_MODEL_SEED repeats a
// run, INGOT_MODEL_SECONDS lets it go on.
namespace ingot::shell {
namespace {

constexpr std::array kShells = {Shell::dash, Shell::bash, Shell::busybox};
constexpr std::array kPrograms = {"/bin/dash", "/bin/bash", "/bin/busybox"};
constexpr int kConditions = 4000;
constexpr unsigned kSeed = 20260401;

Lookup lookup_in(const Variables& variables) {
  return [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

// Called as an image's /bin/sh is, with no other program to be found. -1: it could not be started.
pid_t start(const char* program, const Condition& condition, const std::string& directory) {
  std::vector<std::string> environment = {"PATH=/nonexistent"};
  for (const auto& [name, value] : condition.variables) environment.push_back(name + "=" + value);
  std::vector<char*> pointers;
  pointers.reserve(environment.size() + 1);
  for (std::string& entry : environment) pointers.push_back(entry.data());
  pointers.push_back(nullptr);
  std::string text = condition.text;
  std::array<char*, 4> argv = {const_cast<char*>("sh"), const_cast<char*>("-c"), text.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  for (int stream = 0; stream < 3; ++stream) {
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  }
  pid_t child = -1;
  if (posix_spawn(&child, program, &actions, nullptr, argv.data(), pointers.data()) != 0) child = -1;
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

bool says_true(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string show(const Condition& condition) {
  std::string text = condition.text;
  for (const auto& [name, value] : condition.variables) text += "\n  " + name + "=" + testing::PrintToString(value);
  return text;
}

struct Tally {
  int asked = 0;
  int answered = 0;
};

class Differential : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : kPrograms) {
      if (access(program, X_OK) != 0) GTEST_SKIP() << program << " is not installed (packaging/dependencies has it)";
    }
    // What unquoted patterns turn into.
    for (const char* name : {"a", "ab", "[", "true"}) directory_.file(name, "");
    if (const char* seed = std::getenv("INGOT_MODEL_SEED")) seed_ = static_cast<unsigned>(std::stoul(seed));
    if (const char* seconds = std::getenv("INGOT_MODEL_SECONDS")) seconds_ = std::stod(seconds);
    std::cout << "INGOT_MODEL_SEED=" << seed_ << "\n";
  }

  void check(const Condition& condition) {
    const Lookup lookup = lookup_in(condition.variables);
    std::array<std::optional<bool>, kShells.size()> answers;
    std::array<pid_t, kShells.size()> children = {};
    for (std::size_t i = 0; i < kShells.size(); ++i) {
      answers[i] = answer_of(kShells[i], condition.text, lookup);
      ++tallies_[i].asked;
      if (!answers[i]) continue;
      ++tallies_[i].answered;
      (*answers[i] ? trues_ : falses_)++;
      children[i] = start(kPrograms[i], condition, directory_.path().string());
      ASSERT_GT(children[i], 0) << kPrograms[i];
    }
    for (std::size_t i = 0; i < kShells.size(); ++i) {
      if (!answers[i]) continue;
      const bool said = says_true(children[i]);
      EXPECT_EQ(*answers[i], said) << kPrograms[i] << " of " << show(condition) << "\nseed " << seed_;
    }
  }

  void run(Condition (ConditionGenerator::*make)()) {
    ConditionGenerator generator(seed_);
    const auto begin = std::chrono::steady_clock::now();
    const auto goes_on = [&] {
      return std::chrono::steady_clock::now() - begin < std::chrono::duration<double>(seconds_);
    };
    for (conditions_ = 0; (conditions_ < kConditions || goes_on()) && failures() < 20; ++conditions_) {
      check((generator.*make)());
    }
    std::cout << conditions_ << " conditions, " << trues_ << " true, " << falses_ << " false\n";
    for (std::size_t i = 0; i < kShells.size(); ++i) std::cout << kPrograms[i] << ": " << share(i) << " % answered\n";
  }

  double share(std::size_t shell) const { return 100.0 * tallies_[shell].answered / tallies_[shell].asked; }

 private:
  static int failures() { return testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count(); }

  test::TempDirectory directory_;
  unsigned seed_ = kSeed;
  double seconds_ = 0;
  int conditions_ = 0;
  int trues_ = 0;
  int falses_ = 0;
  std::array<Tally, kShells.size()> tallies_;
};

// What a shell says it has, started with nothing: bash, which starts them under the name of sh, passes on three.
std::vector<std::string> variables_of(const std::string& program) {
  const std::string command = "env -i " + std::string(kPrograms[1]) + " -c 'exec -a sh " + program + " -c set'";
  FILE* out = popen(command.c_str(), "r");
  std::vector<std::string> names;
  std::array<char, 4096> line = {};
  while (out != nullptr && fgets(line.data(), line.size(), out) != nullptr) {
    const std::string text = line.data();
    const std::size_t end = text.find('=');
    // The second line of a value ends up here too, without its name.
    if (end != std::string::npos && end > 0) names.push_back(text.substr(0, end));
  }
  if (out != nullptr) pclose(out);
  return names;
}

TEST_F(Differential, what_a_shell_sets_itself_is_not_known) {
  const Variables none;
  for (std::size_t i = 0; i < kShells.size(); ++i) {
    const auto names = variables_of(kPrograms[i]);
    EXPECT_GT(names.size(), 5U) << kPrograms[i];
    for (const std::string& name : names) {
      EXPECT_EQ(answer_of(kShells[i], "[ -z \"$" + name + "\" ]", lookup_in(none)), std::nullopt)
          << kPrograms[i] << " sets " << name;
    }
  }
}

// A name that a variable of an Earthfile may well have.
TEST_F(Differential, a_variable_called_env_changes_nothing) {
  const test::TempDirectory directory;
  const auto file = directory.file("env", "exit 7\n");
  check({"[ a = a ]", {{"ENV", file.string()}}});
  check({"[ \"$ENV\" = prod ]", {{"ENV", "prod"}}});
  EXPECT_EQ(share(0), 100);
}

TEST_F(Differential, what_earthfiles_ask_is_answered_as_the_shells_do) {
  run(&ConditionGenerator::ordinary);
  for (std::size_t i = 0; i < kShells.size(); ++i) EXPECT_GE(share(i), 80) << kPrograms[i];
}

TEST_F(Differential, what_is_answered_of_nasty_conditions_is_what_the_shells_say) {
  run(&ConditionGenerator::nasty);
  for (std::size_t i = 0; i < kShells.size(); ++i) EXPECT_GE(share(i), 25) << kPrograms[i];
}

}  // namespace
}  // namespace ingot::shell
