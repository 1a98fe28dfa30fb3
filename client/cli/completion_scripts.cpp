#include "client/cli/completion_scripts.h"

#include <fmt/format.h>

#include "client/cli/command_table.h"

namespace ingot::client {

namespace {

enum class Words { none, targets, jobs, shells, commands };

Words words_of(const CommandInfo& command) {
  if (command.words_begin_rest) return Words::targets;
  if (command.synopsis.find("JOB") != std::string::npos) return Words::jobs;
  if (command.name == "completion") return Words::shells;
  return command.name == "help" ? Words::commands : Words::none;
}

std::string command_names() {
  std::string names;
  for (const auto& command : command_table()) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

std::string flag_names(const CommandInfo& command) {
  std::string names;
  for (const auto* flags : {&command.flags, &global_flags()}) {
    for (const auto& flag : *flags) names += (names.empty() ? "" : " ") + flag.name;
  }
  return names;
}

std::string bash_words(Words words) {
  switch (words) {
    case Words::targets:
      return "$(ingot __complete targets 2>/dev/null)";
    case Words::jobs:
      return "$(ingot __complete jobs 2>/dev/null)";
    case Words::shells:
      return "bash zsh fish";
    case Words::commands:
      return command_names();
    case Words::none:
      return "";
  }
  return "";
}

std::string bash_script() {
  std::string cases;
  for (const auto& command : command_table()) {
    cases += fmt::format("    {}) flags=\"{}\"; words=\"{}\" ;;\n", command.name, flag_names(command),
                         bash_words(words_of(command)));
  }
  return fmt::format(R"(# bash completion of ingot
_ingot() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" flags="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in -*) ;; *) command="${{COMP_WORDS[i]}}"; break ;; esac
  done
  case "$command" in
    "") words="{}" ;;
{}  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}}
complete -o default -F _ingot ingot
)",
                     command_names(), cases);
}

std::string quoted(std::string text) {
  for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4))
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string zsh_script() {
  std::string commands;
  std::string cases;
  for (const auto& command : command_table()) {
    commands += "    " + quoted(command.name + ":" + command.summary) + "\n";
    cases += fmt::format("    {}) flags=({}); words_here=({}) ;;\n", command.name, flag_names(command),
                         bash_words(words_of(command)));
  }
  return fmt::format(R"(#compdef ingot
# zsh completion of ingot
_ingot() {{
  local -a commands flags words_here
  commands=(
{})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "${{words[2]}}" in
{}  esac
  if [[ "$PREFIX" == -* ]]; then compadd -- $flags; else compadd -- $words_here || _files; fi
}}
if [[ "$funcstack[1]" == _ingot ]]; then _ingot "$@"; else compdef _ingot ingot; fi
)",
                     commands, cases);
}

std::string fish_script() {
  std::string script = "# fish completion of ingot\ncomplete -c ingot -f\n";
  for (const auto& command : command_table()) {
    script +=
        fmt::format("complete -c ingot -n __fish_use_subcommand -a {} -d {}\n", command.name, quoted(command.summary));
    const std::string in_command = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    for (const auto* flags : {&command.flags, &global_flags()}) {
      for (const auto& flag : *flags) {
        script += fmt::format("complete -c ingot {} -l {}{}{} -d {}\n", in_command, flag.name.substr(2),
                              flag.short_name.empty() ? "" : " -s " + flag.short_name.substr(1),
                              flag.value.empty() ? "" : " -r", quoted(flag.help));
      }
    }
    const Words words = words_of(command);
    if (words == Words::targets)
      script += fmt::format("complete -c ingot {} -a '(ingot __complete targets)'\n", in_command);
    else if (words == Words::jobs)
      script += fmt::format("complete -c ingot {} -a '(ingot __complete jobs)'\n", in_command);
    else if (words != Words::none)
      script += fmt::format("complete -c ingot {} -a '{}'\n", in_command, bash_words(words));
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
