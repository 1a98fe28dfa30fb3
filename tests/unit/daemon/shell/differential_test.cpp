#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "daemon/shell/shell.h"
#include "tests/support/temp.h"
#include "tests/unit/daemon/shell/condition_generator.h"

// Thousands of conditions that are made up at random, each given to the real shells too. INGOT_MODEL_SEED repeats a
// run, INGOT_MODEL_SECONDS lets it go on.
namespace ingot::shell {

// --- what conditions are made of -------------------------------------------------------------------------------------

namespace {

const std::vector<std::string> kNames = {"A", "B", "C_1", "NONE", "FLAG"};

const std::vector<std::string> kOrdinaryValues = {
    "",      "true", "false", "ubuntu", "opensuse-leap", "amd64", "22",     "22.04", "0",
    "1",     "-1",   "010",   "v1.2.3", "k3s",           "a b",   "demo-1", "/usr",  "nvidia-jetson-agx-orin:v1",
    "1.30.2"};

const std::vector<std::string> kNastyValues = {
    "",    " ",      "a",     "b",    "ab",   "a b",  " a ", "a\nb",       "\t",
    "-",   "--",     "-n",    "-z",   "-f",   "-a",   "-o",  "-eq",        "!",
    "(",   ")",      "[",     "]",    "[[",   "]]",   "=",   "==",         "!=",
    "=~",  "true",   "false", "test", ":",    "0",    "1",   "-1",         "+1",
    "007", "08",     " 1",    "1 ",   "1x",   "x1",   "1.5", "2147483648", "99999999999999999999",
    "a*",  "?",      "[a]",   "a\\b", "\\",   "'",    "\"",  "''",         "a'b",
    "$A",  "${A",    "`",     "&&",   "||",   ";",    "#",   "~",          "{a,b}",
    "é",   "a.b",    "^a",    "a+",   "ab|c", "-x y", "]x",  "%",          "A",
    "é*",  "--help", "x=y",   "\r",   "1 = 1"};

const std::vector<std::string> kBinary = {"=", "=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};

const std::vector<std::string> kTokens = {"[",  "]", "[[", "]]", "test",  "!",   "&&",  "||",  "-a",  "-o",   "-z",
                                          "-n", "=", "==", "!=", "=~",    "-eq", "-lt", "\\(", "\\)", "true", "false",
                                          ":",  "(", ")",  "-f", "\"(\"", "'!'", "#",   "''",  "\"\""};

const std::vector<std::string> kRegexes = {"ubuntu",   "\"ubuntu\"", "^v1",      "^v[0-9]+\\.[0-9]+",
                                           "a.b",      "a\\.b",      "\"a.b\"",  "^(a|b)$",
                                           "$A",       "\"$A\"",     "ab?",      "x*",
                                           "[ab]+",    "[^a]",       "^a$",      "a|b",
                                           "(a|b)?c$", "'a+'",       "+",        "a**",
                                           "a{2}",     "^",          "$",        "\\w",
                                           "(",        "[a-z]$",     "^[A-Z_]+$"};

const std::vector<std::string> kPatterns = {"a*",      "*b",  "\"a*\"", "a\\*",  "?b",    "*",
                                            "\"$A\"*", "$A*", "$A",     "*a*b*", "[ab]*", "'*'"};

}  // namespace

Variables ConditionGenerator::some_variables(const std::vector<std::string>& values) {
  Variables out;
  for (const std::string& name : kNames) {
    if (name != "NONE" && chance(85)) out[name] = one_of(values);
  }
  return out;
}

Condition ConditionGenerator::ordinary() {
  Variables variables = some_variables(kOrdinaryValues);
  return {list(&ConditionGenerator::ordinary_command), std::move(variables)};
}

Condition ConditionGenerator::nasty() {
  Variables variables = some_variables(kNastyValues);
  std::string text = list(&ConditionGenerator::nasty_command);
  if (chance(5)) text.erase(random_() % text.size(), 1);
  return {std::move(text), std::move(variables)};
}

std::string ConditionGenerator::list(std::string (ConditionGenerator::*command)()) {
  std::string text;
  for (int commands = chance(60) ? 1 : 1 + static_cast<int>(random_() % 3); commands > 0; --commands) {
    if (chance(10)) text += "! ";
    text += (this->*command)();
    if (commands > 1) text += chance(50) ? " && " : chance(50) ? " || " : "||";
  }
  return text;
}

std::string ConditionGenerator::parameter(bool in_quotes) {
  const std::string& name = one_of(kNames);
  switch (random_() % 8) {
    case 0:
      return "${" + name + (chance(50) ? ":-" : "-") + (chance(30) ? "$A" : in_quotes ? "d e" : "d") + "}";
    case 1:
      return "${" + name + (chance(50) ? ":+" : "+") + one_of({"x", "", "${B}", "true"}) + "}";
    case 2:
      return "${#" + name + "}";
    case 3:
      return "${" + name + one_of({"#", "##", "%", "%%"}) + one_of({"a", "*.", ".*", "v", "u*", "*-", "-*", "", "*"}) +
             "}";
    case 4:
      return "${" + name + "}";
    default:
      return "$" + name;
  }
}

std::string ConditionGenerator::ordinary_word() {
  switch (random_() % 6) {
    case 0:
      return one_of({"true", "ubuntu", "22", "amd64", "\"\"", "\"k3s\"", "'a b'", "v1.2.3", "0"});
    case 1:
      return parameter(false);
    case 2:
      return "\"" + one_of({"v", "x-", ""}) + parameter(true) + "\"";
    default:
      return "\"$" + one_of(kNames) + "\"";
  }
}

std::string ConditionGenerator::nasty_word() {
  switch (random_() % 8) {
    case 0:
      return one_of({"a",    "\"\"",     "''",      "\\!",   "\"a\"'b'c", "a\\ b",    "$",      "\"$\"",  "1",
                     "-1",   "x]",       "]",       "a\"\"", "~",         "a~",       "{a,b}",  "*",      "\"*\"",
                     "\\\\", "\"\\\\\"", "\"\\a\"", "'\"'",  "$A$B",      "\"$A\"$B", "$A\"\"", "\"\"$A", "a#b",
                     "é",    "\"$A\"]",  "[",       "=",     "-n",        "-f"});
    case 1:
      return parameter(false);
    case 2:
      return "\"" + parameter(true) + one_of({"", "x", "'", " "}) + "\"";
    case 3:
      return "$" + one_of(kNames);
    case 4:
      return one_of(kTokens);
    default:
      return "\"$" + one_of(kNames) + "\"";
  }
}

std::string ConditionGenerator::doubled(std::string (ConditionGenerator::*word)()) {
  const auto term = [&]() -> std::string {
    const std::string negation = chance(10) ? "! " : "";
    switch (random_() % 8) {
      case 0:
        return negation + (this->*word)() + " =~ " + one_of(kRegexes);
      case 1:
        return negation + (this->*word)() + one_of({" == ", " = ", " != "}) + one_of(kPatterns);
      case 2:
        return negation + one_of({"-z ", "-n "}) + (this->*word)();
      case 3:
        return negation + (this->*word)();
      default:
        return negation + (this->*word)() + " " + one_of(kBinary) + " " + (this->*word)();
    }
  };
  std::string text = "[[ ";
  if (chance(5)) text += "( ";
  text += term();
  while (chance(20)) text += one_of({" && ", " || "}) + term();
  if (text.starts_with("[[ (")) text += " )";
  return text + " ]]";
}

std::string ConditionGenerator::ordinary_command() {
  const std::string open = chance(85) ? "[ " : "test ";
  const std::string close = open == "[ " ? " ]" : "";
  switch (random_() % 12) {
    case 0:
      return chance(50) ? "$FLAG" : one_of({"true", "false", ":"});
    case 1:
      return doubled(&ConditionGenerator::ordinary_word);
    case 2:
    case 3:
      return open + (chance(30) ? "! " : "") + one_of({"-z ", "-n "}) + ordinary_word() + close;
    case 4:
      return open + (chance(30) ? "! " : "") + ordinary_word() + close;
    case 5:
      return open + ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + one_of({" -a ", " -o "}) +
             ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + close;
    case 6:
      return open + "!-n " + ordinary_word() + one_of({"]", " ]"});
    default:
      return open + (chance(10) ? "! " : "") + ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + close;
  }
}

std::string ConditionGenerator::long_test() {
  std::string text = "[ ";
  for (int words = static_cast<int>(random_() % 9); words > 0; --words) {
    text += (chance(40) ? one_of(kTokens) : nasty_word()) + " ";
  }
  return text + "]";
}

std::string ConditionGenerator::nasty_command() {
  switch (random_() % 7) {
    case 0:
      return doubled(&ConditionGenerator::nasty_word);
    case 5:
      return "[ ! " + nasty_word() + " " + one_of({"-a", "-o", "=", "-eq"}) + " " + nasty_word() + " ]";
    case 1: {
      std::string text = one_of({"[", "test", "[[", "$FLAG", "!", "\"$A\"", "true", "$A"});
      for (int words = static_cast<int>(random_() % 5); words > 0; --words) text += " " + nasty_word();
      return text;
    }
    case 2:
      return long_test();
    case 3:
      return "[ " + nasty_word() + " " + one_of(kBinary) + " " + nasty_word() + " ]";
    case 4:
      return "test " + nasty_word() + " " + nasty_word();
    default:
      return "[ " + nasty_word() + " " + one_of({"-a", "-o", "=", "-eq", "!="}) + " " + nasty_word() + " " +
             one_of({"", "-a ", "-o "}) + nasty_word() + " ]";
  }
}

// --- and who is asked about them -------------------------------------------------------------------------------------

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

// Called as an image's /bin/sh is, with no other program to be found. -1: it could not be
// started.
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
