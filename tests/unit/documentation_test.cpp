#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "client/cli/command_table.h"
#include "client/cli/completion_scripts.h"
#include "client/cli/help.h"
#include "daemon/app/config.h"
#include "proto/error.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp.h"

// What people read agrees with the tables that the programs are made from.
namespace ingot {
namespace {

using testing::HasSubstr;

std::string page(const std::string& name) {
  return test::slurp(test::source_directory().string() + "/" + name);
}

// As the man macros write it: --json is "Fl -json".
std::string man_flag(const std::string& flag) {
  return "Fl " + flag.substr(1);
}

TEST(Documentation, the_clients_man_page_has_every_command_flag_and_exit_code) {
  const std::string man = page("packaging/man/ingot.1");
  for (const auto& command : client::command_table()) {
    EXPECT_THAT(man, HasSubstr(".Ss " + command.name)) << command.name;
    for (const auto& flag : command.flags) EXPECT_THAT(man, HasSubstr(man_flag(flag.name))) << command.name;
  }
  for (const auto& flag : client::global_flags()) EXPECT_THAT(man, HasSubstr(man_flag(flag.name)));
  for (const auto& row : proto::error_kinds()) {
    EXPECT_THAT(man, HasSubstr("\n.It " + std::to_string(row.exit_code) + "\n")) << row.name;
    EXPECT_THAT(man, HasSubstr(std::string(row.meaning))) << row.name;
  }
}

TEST(Documentation, help_and_completions_have_every_command_and_flag) {
  for (const auto& command : client::command_table()) {
    EXPECT_THAT(client::overview_help(), HasSubstr("  " + command.name + " "));
    for (const auto& flag : command.flags) EXPECT_THAT(client::command_help(command), HasSubstr(flag.name));
    for (const char* shell : {"bash", "zsh", "fish"}) {
      const std::string script = *client::completion_script(shell);
      EXPECT_THAT(script, HasSubstr(command.name)) << shell;
      for (const auto& flag : command.flags) EXPECT_THAT(script, HasSubstr(flag.name.substr(2))) << shell;
    }
  }
}

TEST(Documentation, the_readme_names_every_command) {
  const std::string readme = page("README.md");
  for (const auto& command : client::command_table())
    EXPECT_THAT(readme, HasSubstr("`" + command.name)) << command.name;
}

// They are copied as they are.
TEST(Documentation, the_examples_for_ci_say_what_the_client_knows) {
  const auto* sweep = client::find_command("sweep");
  ASSERT_NE(sweep, nullptr);
  for (const char* file : {"packaging/ci/github-actions.yml", "packaging/ci/gitlab-ci.yml", "packaging/ci/Jenkinsfile",
                           "packaging/systemd/ingot-sweep@.service"}) {
    const std::string text = page(file);
    const std::regex form(R"(ingot sweep ([a-z]+)([^\n')]*))");
    int commands = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at, ++commands) {
      EXPECT_THAT(sweep->synopsis, testing::ContainsRegex("(^|[ |])" + (*at)[1].str() + "($|[ |])")) << file;
      const std::string words = (*at)[2];
      const std::regex flag("--[a-z-]+");
      for (std::sregex_iterator each(words.begin(), words.end(), flag); each != end; ++each) {
        const bool is_known = std::any_of(sweep->flags.begin(), sweep->flags.end(),
                                          [&](const auto& known) { return known.name == each->str(); });
        EXPECT_TRUE(is_known) << file << ": " << each->str();
      }
    }
    EXPECT_GT(commands, 0) << file;
  }
}

TEST(Documentation, the_daemons_man_page_names_its_files_and_signals) {
  const std::string man = page("packaging/man/ingotd.8");
  for (const char* text : {"/etc/ingot/ingotd.yaml", "/run/ingot/ingotd.sock", "/var/lib/ingot", "SIGTERM", "SIGHUP",
                           "Fl -check-config", "Fl -fsck", "Fl -config", "INGOT_*"}) {
    EXPECT_THAT(man, HasSubstr(text));
  }
}

}  // namespace
}  // namespace ingot
