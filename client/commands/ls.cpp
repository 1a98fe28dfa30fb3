#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "client/render/recipe_text.h"
#include "daemon/base/strings.h"

// ls, doc.
namespace ingot::client {

namespace {

using base::fail;
using nlohmann::json;

json args_json(const std::vector<earthfile::ArgInfo>& args) {
  auto list = json::array();
  for (const auto& arg : args) {
    json row = {{"name", arg.name}, {"required", arg.required}, {"doc", arg.doc}};
    row["default"] = arg.fallback ? json(*arg.fallback) : json();
    list.push_back(row);
  }
  return list;
}

json target_json(const earthfile::File& file, const earthfile::Recipe& target) {
  const auto info = earthfile::describe(file, target.commands);
  auto artifacts = json::array();
  for (const auto& artifact : info.artifacts) {
    artifacts.push_back({{"name", artifact.name}, {"local", artifact.local}, {"doc", artifact.doc}});
  }
  auto images = json::array();
  for (const auto& image : info.images) images.push_back({{"names", image.names}, {"doc", image.doc}});
  return {{"name", "+" + target.name}, {"line", target.place.position().line},
          {"doc", target.doc},         {"args", args_json(info.args)},
          {"artifacts", artifacts},    {"images", images}};
}

json file_json(const earthfile::File& file, const std::vector<const earthfile::Recipe*>& targets) {
  std::vector<earthfile::ArgInfo> global;
  for (auto& arg : earthfile::describe(file, file.base, true).args) {
    if (arg.global) global.push_back(std::move(arg));
  }
  auto list = json::array();
  for (const auto* target : targets) list.push_back(target_json(file, *target));
  return {{"file", file.name}, {"version", file.version}, {"args", args_json(global)}, {"targets", list}};
}

std::vector<const earthfile::Recipe*> all_targets(const earthfile::File& file) {
  std::vector<const earthfile::Recipe*> targets;
  for (const auto& target : file.targets) targets.push_back(&target);
  return targets;
}

void print_targets(const earthfile::File& file, bool with_args) {
  std::size_t width = 0;
  for (const auto& target : file.targets) width = std::max(width, target.name.size());
  for (const auto& target : file.targets) {
    const std::string doc = first_line(target.doc);
    const std::string padding = doc.empty() ? "" : std::string(width - target.name.size() + 2, ' ');
    std::printf("+%s%s%s\n", visible(target.name).c_str(), padding.c_str(), visible(doc).c_str());
    if (!with_args) continue;
    for (const auto& arg : earthfile::describe(file, target.commands).args) {
      const std::string about = first_line(arg.doc);
      std::printf("    %s%s%s\n", visible(arg_synopsis(arg)).c_str(), arg.required ? " (required)" : "",
                  about.empty() ? "" : ("  " + visible(about)).c_str());
    }
  }
}

Status at_most_one_word(const Invocation& invocation, const char* what) {
  if (invocation.words.size() < 2) return {};
  return fail(ErrorKind::usage, "ingot " + invocation.command + " takes one " + what);
}

Result<const earthfile::Recipe*> find_recipe(const earthfile::File& file, const std::string& name) {
  const auto found = std::find_if(file.targets.begin(), file.targets.end(),
                                  [&](const earthfile::Recipe& target) { return target.name == name; });
  if (found != file.targets.end()) return &*found;
  std::string hint = base::did_you_mean(name, earthfile::target_names(file));
  return fail(ErrorKind::not_found, fmt::format("{} has no target {}", file.name, base::printable(name)),
              hint.empty() ? "`ingot ls` lists them" : hint);
}

}  // namespace

Result<int> run_ls(const Invocation& invocation) {
  INGOT_CHECK(at_most_one_word(invocation, "directory"));
  const std::string word = invocation.words.empty() ? "" : invocation.words.front();
  if (word.find('+') != std::string::npos) {
    return fail(ErrorKind::usage, "ls takes a directory, and no target", "`ingot doc " + word + "` tells of a target");
  }
  const auto file = parse_earthfile(earthfile_path(invocation, word));
  if (!file) return report_all(file.error());
  if (wants_json(invocation))
    print_json(file_json(*file, all_targets(*file)));
  else
    print_targets(*file, invocation.has("--long"));
  return 0;
}

Result<int> run_doc(const Invocation& invocation) {
  INGOT_CHECK(at_most_one_word(invocation, "target"));
  const auto wanted = split_reference(invocation.words.empty() ? "" : invocation.words.front());
  const auto file = parse_earthfile(earthfile_path(invocation, wanted.directory));
  if (!file) return report_all(file.error());
  auto targets = all_targets(*file);
  const bool one = !wanted.target.empty();
  if (one) {
    INGOT_TRY(const auto* target, find_recipe(*file, wanted.target));
    targets = {target};
  }
  if (wants_json(invocation)) {
    print_json(file_json(*file, targets));
    return 0;
  }
  for (const auto* target : targets) {
    if (!one && target->doc.empty() && !invocation.has("--long")) continue;
    std::fputs(recipe_text(*file, *target, one || invocation.has("--long"), "").c_str(), stdout);
  }
  return 0;
}

}  // namespace ingot::client
