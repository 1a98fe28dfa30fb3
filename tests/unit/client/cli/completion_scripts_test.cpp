#include "client/cli/completion_scripts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/sys/find_program.h"
#include "daemon/sys/process.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

// The scripts in their own shells, with a stand-in for `ingot` that tells what it was asked.
class Completion : public testing::Test {
 protected:
  test::TempDirectory directory;

  void SetUp() override {
    const auto program = directory.file("bin/ingot", "#!/bin/sh\necho \"+iso +image $* abc123\"\n");
    ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  }
  std::string run(const std::string& shell, const std::string& text, std::vector<std::string> flags = {}) {
    sys::Command command;
    command.argv = {shell};
    command.argv.insert(command.argv.end(), flags.begin(), flags.end());
    command.argv.push_back(directory.file("script", text));
    command.environment = {"PATH=" + (directory / "bin").string() + ":/usr/bin:/bin",
                           "HOME=" + directory.path().string()};
    auto captured = sys::capture(sys::system_processes(), command);
    if (!captured) return proto::render(captured.error());
    return captured->out + captured->err;
  }
  std::string in_bash(const std::string& words) {
    return run("bash", *completion_script("bash") + "COMP_WORDS=(" + words +
                           ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ingot\necho \"${COMPREPLY[*]}\"\n");
  }
};

TEST_F(Completion, bash_completes_commands_flags_values_targets_and_jobs) {
  EXPECT_EQ(in_bash("ingot b"), "build boot-test\n");
  EXPECT_EQ(in_bash("ingot --js"), "--json\n");
  EXPECT_EQ(in_bash("ingot build --no-o"), "--no-output\n");
  EXPECT_EQ(in_bash("ingot build --progress p"), "plain\n");
  EXPECT_EQ(in_bash("ingot ps --state ru"), "running\n");
  EXPECT_EQ(in_bash("ingot build +"), "+iso +image\n");
  EXPECT_EQ(in_bash("ingot build --no-cache +"), "+iso +image\n") << "its value is optional, and no word of its own";
  EXPECT_EQ(in_bash("ingot show abc"), "abc123\n");
  EXPECT_EQ(in_bash("ingot completion f"), "fish\n");
  EXPECT_EQ(in_bash("ingot help doct"), "doctor\n");
}

TEST_F(Completion, bash_passes_on_where_to_look) {
  EXPECT_EQ(in_bash("ingot -C dir --color never build ''"), "+iso +image -C dir __complete targets abc123\n");
  EXPECT_EQ(in_bash("ingot show --socket /s ''"), "+iso +image --socket /s __complete jobs abc123\n");
}

TEST_F(Completion, the_scripts_are_right_for_their_shells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    if (!sys::find_program(shell)) continue;
    EXPECT_EQ(run(shell, *completion_script(shell), {"-n"}), "") << shell;
  }
}

TEST_F(Completion, fish_completes_commands_values_and_targets) {
  if (!sys::find_program("fish")) GTEST_SKIP() << "fish is not installed";
  auto in_fish = [&](const std::string& line) {
    return run("fish", *completion_script("fish") + "complete -C '" + line + "'\n");
  };
  EXPECT_EQ(in_fish("ingot bu"), "build\tbuild a target of the project directory, and wait for it\n");
  EXPECT_NE(in_fish("ingot build --progress t").find("tty\t"), std::string::npos);
  EXPECT_NE(in_fish("ingot -C dir build +").find("+iso +image -C dir __complete targets"), std::string::npos);
}

TEST_F(Completion, another_shell_has_none) {
  auto script = completion_script("csh");
  ASSERT_FALSE(script);
  EXPECT_EQ(proto::render(script.error()), "there is no completion for \"csh\"\nhint: bash, zsh and fish have one");
}

}  // namespace
}  // namespace ingot::client
