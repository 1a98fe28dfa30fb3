#include "client/cli/completion_scripts.h"

#include <fmt/format.h>

#include <map>

#include "client/cli/command_table.h"

namespace ingot::client {

namespace {

enum class Words { none, targets, jobs, shells, commands, files, parts_of_debug };

Words words_of(const CommandInfo& command) {
  if (command.words_begin_rest || command.name == "doc") return Words::targets;
  if (command.synopsis.find("FILE...") != std::string::npos || command.name == "ls") return Words::files;
  if (command.name == "debug") return Words::parts_of_debug;
  if (command.synopsis.find("JOB") != std::string::npos) return Words::jobs;
  if (command.name == "completion") return Words::shells;
  return command.name == "help" ? Words::commands : Words::none;
}

std::string command_names() {
  std::string names;
  for (const auto& command : command_table()) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

// Every flag of every command, by its long name once.
std::map<std::string, FlagInfo> all_flags() {
  std::map<std::string, FlagInfo> flags;
  for (const auto& flag : global_flags()) flags.emplace(flag.name, flag);
  for (const auto& command : command_table()) {
    for (const auto& flag : command.flags) flags.emplace(flag.name, flag);
  }
  return flags;
}

std::string flag_names(const CommandInfo* command) {
  std::string names;
  auto add = [&](const std::vector<FlagInfo>& flags) {
    for (const auto& flag : flags) names += (names.empty() ? "" : " ") + flag.name;
  };
  if (command != nullptr) add(command->flags);
  add(global_flags());
  return names;
}

std::string pattern_of(const FlagInfo& flag) {
  return flag.short_name.empty() ? flag.name : flag.name + "|" + flag.short_name;
}

// Flags whose value is the word behind them, as a pattern of `case`. Those that say where to look are passed on to
// `ingot __complete`, and are not among them.
std::string value_flags() {
  std::string pattern;
  for (const auto& [name, flag] : all_flags()) {
    if (flag.value.empty() || flag.value_optional || name == "--socket" || name == "--directory") continue;
    pattern += (pattern.empty() ? "" : "|") + pattern_of(flag);
  }
  return pattern;
}

// What is offered where no flag stands, as a word list of the shell.
std::string offered(Words words, const std::string& globals) {
  switch (words) {
    case Words::targets:
      return "$(ingot " + globals + " __complete targets 2>/dev/null)";
    case Words::jobs:
      return "$(ingot " + globals + " __complete jobs 2>/dev/null)";
    case Words::shells:
      return "bash zsh fish";
    case Words::commands:
      return command_names();
    case Words::parts_of_debug:
      return "ast";
    case Words::files:  // what the shell offers by itself
    case Words::none:
      return "";
  }
  return "";
}

std::string bash_choices() {
  std::string cases;
  for (const auto& [name, flag] : all_flags()) {
    if (flag.choices.empty()) continue;
    cases += fmt::format("    {}) mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$current\"); return ;;\n",
                         pattern_of(flag), flag.choices);
  }
  return cases;
}

std::string bash_script() {
  std::string cases;
  for (const auto& command : command_table()) {
    cases += fmt::format("    {}) flags=\"{}\"; words=\"{}\" ;;\n", command.name, flag_names(&command),
                         offered(words_of(command), "\"${globals[@]}\""));
  }
  return fmt::format(R"(# bash completion of ingot
_ingot() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" flags="" words="" i
  local -a globals=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
      --socket|--directory|-C)
        if ((i + 1 < COMP_CWORD)); then globals+=("${{COMP_WORDS[i]}}" "${{COMP_WORDS[i + 1]}}"); fi
        ((i++)) ;;
      {0}) ((i++)) ;;
      -*) ;;
      *) if [ -z "$command" ]; then command="${{COMP_WORDS[i]}}"; fi ;;
    esac
  done
  case "${{COMP_WORDS[COMP_CWORD - 1]}}" in
{1}    --directory|-C) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --socket|{0}) return ;;
  esac
  case "$command" in
    "") flags="{2}"; words="{3}" ;;
{4}  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}}
complete -o default -F _ingot ingot
)",
                     value_flags(), bash_choices(), flag_names(nullptr), command_names(), cases);
}

std::string quoted(std::string text) {
  for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4))
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string zsh_choices() {
  std::string cases;
  for (const auto& [name, flag] : all_flags()) {
    if (!flag.choices.empty())
      cases += fmt::format("    {}) compadd -- {}; return ;;\n", pattern_of(flag), flag.choices);
  }
  return cases;
}

std::string zsh_script() {
  std::string commands;
  std::string cases;
  for (const auto& command : command_table()) {
    commands += "    " + quoted(command.name + ":" + command.summary) + "\n";
    cases += fmt::format("    {}) flags=({}); offered=({}) ;;\n", command.name, flag_names(&command),
                         offered(words_of(command), "$globals"));
  }
  return fmt::format(R"(#compdef ingot
# zsh completion of ingot
_ingot() {{
  local -a commands flags offered globals
  local command="" i
  commands=(
{0})
  for ((i = 2; i < CURRENT; i++)); do
    case "${{words[i]}}" in
      --socket|--directory|-C)
        if ((i + 1 < CURRENT)); then globals+=("${{words[i]}}" "${{words[i + 1]}}"); fi
        ((i++)) ;;
      {1}) ((i++)) ;;
      -*) ;;
      *) if [[ -z "$command" ]]; then command="${{words[i]}}"; fi ;;
    esac
  done
  case "${{words[CURRENT - 1]}}" in
{2}    --directory|-C) _files -/; return ;;
    --socket|{1}) _files; return ;;
  esac
  case "$command" in
    "")
      flags=({3})
      if [[ "$PREFIX" != -* ]]; then _describe command commands; return; fi ;;
{4}  esac
  if [[ "$PREFIX" == -* ]]; then compadd -- $flags; else compadd -- $offered || _files; fi
}}
if [[ "$funcstack[1]" == _ingot ]]; then _ingot "$@"; else compdef _ingot ingot; fi
)",
                     commands, value_flags(), zsh_choices(), flag_names(nullptr), cases);
}

// The flags of one command, or those that stand before any.
std::string fish_flags(const std::string& condition, const std::vector<FlagInfo>& flags) {
  std::string lines;
  for (const auto& flag : flags) {
    std::string how = flag.value.empty() || flag.value_optional ? "" : " -r";
    if (!flag.choices.empty()) how = " -x -a " + quoted(flag.choices);
    if (flag.name == "--directory") how = " -x -a '(__fish_complete_directories)'";
    lines += fmt::format("complete -c ingot {} -l {}{}{} -d {}\n", condition, flag.name.substr(2),
                         flag.short_name.empty() ? "" : " -s " + flag.short_name.substr(1), how, quoted(flag.help));
  }
  return lines;
}

std::string fish_script() {
  std::string script = R"(# fish completion of ingot
function __ingot_globals
  set -l words (commandline -opc)
  for i in (seq (count $words))
    if contains -- $words[$i] --socket --directory -C; and test $i -lt (count $words)
      echo $words[$i]
      echo $words[(math $i + 1)]
    end
  end
end
complete -c ingot -f
)";
  script += fish_flags("-n __fish_use_subcommand", global_flags());
  for (const auto& command : command_table()) {
    script +=
        fmt::format("complete -c ingot -n __fish_use_subcommand -a {} -d {}\n", command.name, quoted(command.summary));
    const std::string in_command = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    script += fish_flags(in_command, command.flags) + fish_flags(in_command, global_flags());
    const Words words = words_of(command);
    std::string list = offered(words, "(__ingot_globals)");
    if (list.starts_with("$(ingot")) list = list.substr(1);
    if (words == Words::files)
      script += fmt::format("complete -c ingot {} -F\n", in_command);
    else if (words != Words::none)
      script += fmt::format("complete -c ingot {} -a '{}'\n", in_command, list);
  }
  return script;
}

}  // namespace

Result<std::string> completion_script(const std::string& shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return base::fail(ErrorKind::usage, "there is no completion for \"" + shell + "\"", "bash, zsh and fish have one");
}

}  // namespace ingot::client
