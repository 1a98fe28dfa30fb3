#include "daemon/earthfile/describe.h"

#include <algorithm>

#include "daemon/earthfile/paths.h"

namespace ingot::earthfile {

namespace {

std::string without_quotes(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::optional<ArtifactInfo> artifact_info(const Command& command) {
  std::vector<std::string> words;
  for (std::size_t i = first_word_behind_flags(command); i < command.words.size(); ++i) {
    words.push_back(without_quotes(command.words[i].text));
  }
  ArtifactInfo artifact{"", "", command.doc};
  const auto as = std::find(words.begin(), words.end(), "AS");
  if (words.end() - as == 3 && *(as + 1) == "LOCAL") {
    artifact.local = words.back();
    words.erase(as, words.end());
  }
  if (words.empty()) return std::nullopt;
  artifact.name = words.size() > 1 ? words[1] : base_name(words[0]);
  if (words.size() > 1 && means_directory(words[1])) {
    artifact.name = (words[1] == "." || words[1] == "./" ? "" : words[1]) + base_name(words[0]);
  }
  while (artifact.name.size() > 1 && artifact.name.starts_with('/')) artifact.name.erase(0, 1);
  return artifact;
}

// What IF and ELSE both have is one ARG, as the first of them says it.
void add(std::vector<ArgInfo>& args, ArgInfo arg) {
  const auto is_same = [&](const ArgInfo& other) { return other.name == arg.name; };
  if (std::none_of(args.begin(), args.end(), is_same)) args.push_back(std::move(arg));
}

void collect(const File& file, const std::vector<Command>& commands, bool in_base, RecipeInfo& info) {
  for (const Command& command : commands) {
    if (command.name == "ARG") {
      if (auto arg = arg_info(file, command, in_base)) add(info.args, *std::move(arg));
    } else if (command.name == "SAVE ARTIFACT") {
      if (auto artifact = artifact_info(command)) info.artifacts.push_back(*std::move(artifact));
    } else if (command.name == "SAVE IMAGE") {
      SavedImageInfo image{{}, command.doc};
      for (std::size_t i = first_word_behind_flags(command, {"--cache-from"}); i < command.words.size(); ++i) {
        image.names.push_back(without_quotes(command.words[i].text));
      }
      if (!image.names.empty()) info.images.push_back(std::move(image));
    }
    collect(file, command.body, in_base, info);
    collect(file, command.alternatives, in_base, info);
  }
}

}  // namespace

std::size_t first_word_behind_flags(const Command& command, const std::vector<std::string>& valued) {
  std::size_t at = 0;
  for (; at < command.words.size() && command.words[at].text.starts_with("--"); ++at) {
    const std::string& flag = command.words[at].text;
    if (flag == "--") return at + 1;
    if (std::find(valued.begin(), valued.end(), flag) != valued.end()) ++at;
  }
  return std::min(at, command.words.size());
}

std::optional<ArgInfo> arg_info(const File& file, const Command& command, bool in_base) {
  const std::size_t first = first_word_behind_flags(command);
  const Word all = command.rest_from(first);
  const std::size_t end = std::min(all.text.find_first_of("= \t\n"), all.text.size());
  if (end == 0) return std::nullopt;
  ArgInfo arg;
  arg.name = all.text.substr(0, end);
  arg.place = all.place;
  arg.doc = command.doc;
  const std::size_t equals = all.text.find_first_not_of(" \t", end);
  if (equals != std::string::npos && all.text[equals] == '=') {
    arg.fallback = all.text.substr(std::min(all.text.find_first_not_of(" \t", equals + 1), all.text.size()));
  }
  arg.global = in_base && !file.has("explicit-global");
  for (std::size_t i = 0; i < first; ++i) {
    const std::string& flag = command.words[i].text;
    if (flag == "--required" || flag == "--required=true") arg.required = true;
    if (in_base && (flag == "--global" || flag == "--global=true")) arg.global = true;
  }
  return arg;
}

RecipeInfo describe(const File& file, const std::vector<Command>& commands, bool in_base) {
  RecipeInfo info;
  collect(file, commands, in_base, info);
  return info;
}

}  // namespace ingot::earthfile
