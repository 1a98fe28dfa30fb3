#include "client/cli/help.h"

#include <fmt/format.h>

namespace ingot::client {

namespace {

std::string flag_lines(const std::vector<FlagInfo>& flags) {
  std::string text;
  for (const auto& flag : flags) {
    std::string left = flag.short_name.empty() ? "    " : flag.short_name + ", ";
    left += flag.synopsis();
    text += fmt::format("  {:<30} {}\n", left, flag.help);
  }
  return text;
}

}  // namespace

std::string overview_help() {
  std::string text =
      "ingot builds the targets of an Earthfile on the build daemon of this host.\n\nUsage: ingot COMMAND [flags] "
      "...\n\n";
  for (const auto& command : command_table()) text += fmt::format("  {:<12} {}\n", command.name, command.summary);
  text += "\nFlags of every command:\n" + flag_lines(global_flags());
  text += "\n`ingot COMMAND --help` tells more of one.\n";
  return text;
}

std::string command_help(const CommandInfo& command) {
  std::string text = fmt::format("ingot {}: {}\n\nUsage: ingot {} {}\n", command.name, command.summary, command.name,
                                 command.synopsis);
  if (!command.details.empty()) text += "\n" + command.details + "\n";
  if (!command.flags.empty()) text += "\nFlags:\n" + flag_lines(command.flags);
  return text + "\nFlags of every command:\n" + flag_lines(global_flags());
}

}  // namespace ingot::client
