#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "daemon/base/strings.h"

// debug ast.
namespace ingot::client {

namespace {

using nlohmann::json;

json place_json(const earthfile::Place& place) {
  const auto position = place.position();
  return {{"line", position.line}, {"column", position.column}};
}

json commands_json(const std::vector<earthfile::Command>& commands) {
  auto list = json::array();
  for (const auto& command : commands) {
    json row = {{"name", command.name}, {"arguments", command.arguments}, {"at", place_json(command.place)}};
    row["words"] = json::array();
    for (const auto& word : command.words)
      row["words"].push_back({{"text", word.text}, {"at", place_json(word.place)}});
    if (!command.doc.empty()) row["doc"] = command.doc;
    if (!command.body.empty()) row["body"] = commands_json(command.body);
    if (!command.alternatives.empty()) row["alternatives"] = commands_json(command.alternatives);
    list.push_back(row);
  }
  return list;
}

json recipes_json(const std::vector<earthfile::Recipe>& recipes) {
  auto list = json::array();
  for (const auto& recipe : recipes) {
    list.push_back({{"name", recipe.name},
                    {"doc", recipe.doc},
                    {"at", place_json(recipe.place)},
                    {"commands", commands_json(recipe.commands)}});
  }
  return list;
}

json tree_json(const earthfile::File& file) {
  return {{"file", file.name},
          {"version", file.version},
          {"features", file.features},
          {"base", commands_json(file.base)},
          {"targets", recipes_json(file.targets)},
          {"functions", recipes_json(file.functions)}};
}

}  // namespace

Result<int> run_debug(const Invocation& invocation) {
  if (invocation.words.empty() || invocation.words.size() > 2 || invocation.words.front() != "ast") {
    return base::fail(ErrorKind::usage, "debug needs what to show: ast", "ingot debug ast [FILE]");
  }
  const auto file =
      parse_earthfile(earthfile_path(invocation, invocation.words.size() == 2 ? invocation.words[1] : ""));
  if (!file) return report_all(file.error());
  print_json(tree_json(*file));
  return 0;
}

}  // namespace ingot::client
