#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/lint_rules.h"

// ARGs that nothing uses, and ARGs that are secrets.
namespace ingot::earthfile {

namespace {

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The names that stand in a text, whatever they are there.
void add_names(std::string_view text, std::set<std::string, std::less<>>& names) {
  for (std::size_t at = 0; at < text.size();) {
    if (!in_name(text[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    while (at < text.size() && in_name(text[at])) ++at;
    names.emplace(text.substr(start, at - start));
  }
}

// What the commands mention. Of an ARG only its default counts: its own name is no use of it.
std::set<std::string, std::less<>> mentioned(const File& file, const std::vector<Command>& commands) {
  std::set<std::string, std::less<>> names;
  for_each_command(commands, [&](const Command& command) {
    if (command.name != "ARG") return add_names(command.arguments, names);
    const auto arg = arg_info(file, command, false);
    if (arg && arg->fallback) add_names(*arg->fallback, names);
  });
  return names;
}

// Programs read these from their environment, whether the recipe mentions them or not.
bool is_for_programs(const std::string& name) {
  static const std::set<std::string> kKnown = {
      "DEBIAN_FRONTEND", "PATH", "HOME",   "LANG",       "LANGUAGE", "TZ",      "TERM",        "SOURCE_DATE_EPOCH",
      "CGO_ENABLED",     "GOOS", "GOARCH", "GOARM",      "GOPROXY",  "GOFLAGS", "GO111MODULE", "CFLAGS",
      "CXXFLAGS",        "CC",   "CXX",    "PYTHONPATH", "NO_COLOR", "CI",      "DOCKER_HOST", "PIP_INDEX_URL"};
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return kKnown.contains(name) || name.starts_with("LC_") || lower.ends_with("_proxy");
}

void unused(const ArgInfo& arg, const std::string& where, Findings& findings) {
  findings.add("unused-arg", arg.place, fmt::format("nothing in {} uses ARG {}", where, base::printable(arg.name)),
               "remove it, unless a program that is run here reads it from its environment");
}

bool looks_secret(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto parts = base::split(upper, '_');
  static const std::set<std::string> kOfAnotherThing = {"FILE", "PATH", "DIR", "NAME", "ID", "URL", "TYPE", "SIZE"};
  if (kOfAnotherThing.contains(parts.back())) return false;
  for (const char* word : {"PASSWORD", "PASSWD", "TOKEN", "SECRET"}) {
    if (upper.find(word) != std::string::npos) return true;
  }
  return std::any_of(parts.begin(), parts.end(),
                     [](const std::string& part) { return part == "KEY" || part == "APIKEY" || part == "PRIVATEKEY"; });
}

void check_secret(const ArgInfo& arg, Findings& findings) {
  if (!arg.fallback || !looks_secret(arg.name)) return;
  const std::string& value = *arg.fallback;
  const bool literal = value.find('$') == std::string::npos && value.find_first_not_of("\"'") != std::string::npos;
  const std::size_t begin = literal ? value.find_first_not_of("\"'") : 0;
  if (!literal || value[begin] == '/' || value[begin] == '.') return;
  if (value == "true" || value == "false" || value == "0" || value == "1") return;
  findings.add("secret-in-arg", arg.place,
               fmt::format("ARG {} looks like a secret, and its default is in this file", base::printable(arg.name)),
               fmt::format("RUN --secret {0} ..., and {0} in .secret or by --secret", base::printable(arg.name)));
}

}  // namespace

void lint_args(const File& file, Findings& findings) {
  const auto base_names = mentioned(file, file.base);
  auto all_names = base_names;
  for (const auto* recipes : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *recipes) {
      const auto names = mentioned(file, recipe.commands);
      all_names.insert(names.begin(), names.end());
      for (const auto& arg : describe(file, recipe.commands).args) {
        if (!names.contains(arg.name) && !is_for_programs(arg.name)) unused(arg, recipe.name, findings);
        check_secret(arg, findings);
      }
    }
  }
  for (const auto& arg : describe(file, file.base, true).args) {
    const auto& names = arg.global ? all_names : base_names;
    if (!names.contains(arg.name) && !is_for_programs(arg.name)) {
      unused(arg, arg.global ? "this file" : "the commands above the first target", findings);
    }
    check_secret(arg, findings);
  }
}

}  // namespace ingot::earthfile
