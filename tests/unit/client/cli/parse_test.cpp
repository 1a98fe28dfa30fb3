#include "client/cli/parse.h"

#include <gtest/gtest.h>

#include "client/cli/help.h"

namespace ingot::client {
namespace {

std::string error_of(const std::vector<std::string>& arguments) {
  auto invocation = parse_arguments(arguments);
  if (invocation) return "no error";
  EXPECT_EQ(invocation.error().kind, ErrorKind::usage);
  return proto::render(invocation.error());
}

Invocation parsed(const std::vector<std::string>& arguments) {
  auto invocation = parse_arguments(arguments);
  EXPECT_TRUE(invocation) << proto::render(invocation.error());
  return invocation.value_or(Invocation{});
}

TEST(ParseArguments, flags_stand_before_and_behind_the_command) {
  const auto invocation = parsed({"-C", "dir", "ps", "--all", "--label=a=b", "-l", "c=d", "-n5", "--color", "never"});
  EXPECT_EQ(invocation.command, "ps");
  EXPECT_EQ(invocation.value("--directory"), "dir");
  EXPECT_TRUE(invocation.has("--all"));
  EXPECT_EQ(invocation.values("--label"), (std::vector<std::string>{"a=b", "c=d"}));
  EXPECT_EQ(invocation.value("--limit"), "5");
  EXPECT_EQ(invocation.value("--color"), "never");
  EXPECT_FALSE(invocation.has("--json"));
  EXPECT_EQ(invocation.value("--state", "any"), "any");
}

TEST(ParseArguments, an_optional_value_comes_behind_an_equals_sign_only) {
  EXPECT_EQ(parsed({"build", "--no-cache", "+iso"}).values("--no-cache"), std::vector<std::string>{""});
  EXPECT_EQ(parsed({"build", "--no-cache", "+iso"}).words, std::vector<std::string>{"+iso"});
  EXPECT_EQ(parsed({"build", "--no-cache=+a", "--no-cache=+b", "--no-cache", "+iso"}).values("--no-cache"),
            (std::vector<std::string>{"+a", "+b", ""}));
  EXPECT_EQ(error_of({"build", "--no-cache=", "+iso"}), "--no-cache= needs a value: --no-cache[=+TARGET]");
}

TEST(ParseArguments, what_stands_behind_the_target_is_the_earthfiles) {
  const auto invocation = parsed({"build", "--priority", "3", "+iso", "--priority=high", "--json=1", "-x"});
  EXPECT_EQ(invocation.value("--priority"), "3");
  EXPECT_FALSE(invocation.has("--json"));
  EXPECT_EQ(invocation.words, (std::vector<std::string>{"+iso", "--priority=high", "--json=1", "-x"}));
}

TEST(ParseArguments, other_commands_take_flags_anywhere) {
  const auto invocation = parsed({"get", "job", "a", "-o", "-", "b"});
  EXPECT_EQ(invocation.words, (std::vector<std::string>{"job", "a", "b"}));
  EXPECT_EQ(invocation.value("--output"), "-");
  EXPECT_EQ(parsed({"get", "--", "-o"}).words, std::vector<std::string>{"-o"});
}

TEST(ParseArguments, mistakes_name_what_was_meant) {
  EXPECT_EQ(error_of({"biuld"}), "there is no command \"biuld\"\nhint: did you mean \"build\"?");
  EXPECT_EQ(error_of({"xyzzy"}), "there is no command \"xyzzy\"\nhint: `ingot help` lists the commands");
  EXPECT_EQ(error_of({"+iso"}), "there is no command \"+iso\"\nhint: to build it: ingot build +iso");
  EXPECT_EQ(error_of({"ps", "--labl", "x"}),
            "ingot ps has no flag --labl\nhint: did you mean \"--label\" or \"--all\"?");
  EXPECT_EQ(error_of({"--jsn"}), "ingot has no flag --jsn\nhint: did you mean \"--json\"?");
  EXPECT_EQ(error_of({"ps", "-x"}), "ingot ps has no flag -x\nhint: `ingot ps --help` lists them");
  EXPECT_EQ(error_of({"build", "--K8S_VERSION", "+iso"}),
            "ingot build has no flag --K8S_VERSION\n"
            "hint: arguments of the Earthfile stand behind the target: ingot build +target --K8S_VERSION=...");
  EXPECT_EQ(error_of({"ps", "--limit"}), "--limit needs a value: --limit N");
  EXPECT_EQ(error_of({"ps", "--all=yes"}), "--all takes no value");
  EXPECT_EQ(error_of({"ps", "-ax"}), "-a takes no value");
}

TEST(ParseArguments, version_is_a_command_by_two_names) {
  EXPECT_EQ(parsed({"--version"}).command, "version");
  EXPECT_EQ(parsed({"--json", "--version"}).command, "version");
}

TEST(Help, of_a_command_holds_all_of_its_row) {
  const auto* command = find_command("get");
  ASSERT_NE(command, nullptr);
  const std::string text = command_help(*command);
  EXPECT_EQ(text.substr(0, text.find("\n\nFlags of every")),
            "ingot get: fetch a job's artifacts\n"
            "\n"
            "Usage: ingot get [flags] JOB [ARTIFACT...]\n"
            "\n"
            "ARTIFACT is a name or a number of `ingot show`; none means all, which go where their build would have put "
            "them: what\n"
            "says AS LOCAL to its place, the rest and the pack manifest into build/. A directory comes as a tar.\n"
            "A transfer that broke goes on where it was.\n"
            "\n"
            "Flags:\n"
            "  -o, --output PATH              directory, or file for a single artifact; - is standard output");
}

TEST(CommandTable, no_two_flags_of_a_command_share_a_name) {
  for (const auto& command : command_table()) {
    std::map<std::string, int> names;
    for (const auto* flags : {&command.flags, &global_flags()}) {
      for (const auto& flag : *flags) {
        EXPECT_EQ(++names[flag.name], 1) << command.name << " " << flag.name;
        if (flag.short_name.empty()) continue;
        EXPECT_EQ(++names[flag.short_name], 1) << command.name << " " << flag.short_name;
      }
    }
  }
}

}  // namespace
}  // namespace ingot::client
