#include "daemon/earthfile/language.h"

#include <algorithm>
#include <unordered_map>

namespace ingot::earthfile {

const std::vector<CommandInfo>& commands() {
  using enum CommandInfo::State;
  static const std::vector<CommandInfo> kCommands = {
      {"FROM", interpreted, "", ""},
      {"RUN", interpreted, "", ""},
      {"COPY", interpreted, "", ""},
      {"ARG", interpreted, "", ""},
      {"LET", interpreted, "", "arg-scope-and-set"},
      {"SET", interpreted, "", "arg-scope-and-set"},
      {"ENV", interpreted, "", ""},
      {"WORKDIR", interpreted, "", ""},
      {"USER", interpreted, "", ""},
      {"SAVE ARTIFACT", interpreted, "", ""},
      {"LABEL", interpreted, "", ""},
      {"ENTRYPOINT", interpreted, "", ""},
      {"CMD", interpreted, "", ""},
      {"EXPOSE", interpreted, "", ""},
      {"VOLUME", interpreted, "", ""},
      {"HEALTHCHECK", interpreted, "", ""},
      {"PROJECT", without_effect, "", "use-project-secrets"},
      {"VERSION", structure, "", ""},
      {"END", structure, "", ""},
      {"SAVE IMAGE", interpreted, "", ""},
      {"FROM DOCKERFILE", interpreted, "", ""},
      {"BUILD", interpreted, "", ""},
      {"IF", interpreted, "", ""},
      {"ELSE IF", structure, "", ""},
      {"ELSE", structure, "", ""},
      {"FOR", interpreted, "", "for-in"},
      {"WITH DOCKER", interpreted, "", ""},
      {"DO", interpreted, "", ""},
      {"COMMAND", structure, "", ""},
      {"FUNCTION", structure, "", "use-function-keyword"},
      {"IMPORT", interpreted, "", ""},
      {"WAIT", interpreted, "", "wait-block"},
      {"TRY", interpreted, "", "try"},
      {"CATCH", structure, "", ""},
      {"FINALLY", structure, "", ""},
      {"GIT CLONE", interpreted, "", ""},
      {"CACHE", interpreted, "", "use-cache-command"},
      {"LOCALLY", interpreted, "", ""},
      {"HOST", interpreted, "", "use-host-command"},
      {"ADD", rejected, "COPY takes files of the project; a RUN can fetch and unpack others", ""},
      {"STOPSIGNAL", rejected, "leave it out", ""},
      {"ONBUILD", rejected, "write the command into the target that needs it", ""},
      {"SHELL", rejected, "RUN is read by /bin/sh; call another shell in it: RUN bash -c '...'", ""}};
  return kCommands;
}

const CommandInfo* find_command(std::string_view name) {
  static const auto kByName = [] {
    std::unordered_map<std::string_view, const CommandInfo*> by_name;
    for (const auto& row : commands()) by_name.emplace(row.name, &row);
    return by_name;
  }();
  auto found = kByName.find(name);
  return found == kByName.end() ? nullptr : found->second;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    if (command.state != CommandInfo::State::rejected) names.emplace_back(command.name);
  }
  return names;
}

BlockRole block_role(std::string_view command) {
  if (command == "END") return BlockRole::closes;
  if (!block_opener(command).empty()) return BlockRole::continues;
  constexpr std::string_view kOpeners[] = {"IF", "FOR", "WAIT", "TRY", "WITH DOCKER"};
  const bool opens = std::find(std::begin(kOpeners), std::end(kOpeners), command) != std::end(kOpeners);
  return opens ? BlockRole::opens : BlockRole::none;
}

std::string_view block_opener(std::string_view command) {
  if (command == "ELSE" || command == "ELSE IF") return "IF";
  if (command == "CATCH" || command == "FINALLY") return "TRY";
  return "";
}

}  // namespace ingot::earthfile
