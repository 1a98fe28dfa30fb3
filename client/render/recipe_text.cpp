#include "client/render/recipe_text.h"

#include "client/render/text.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

constexpr const char* kStep = "  ";

std::string indented(const std::string& doc, const std::string& indent) {
  std::string text;
  auto lines = base::split(doc, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (const auto& line : lines) text += (line.empty() ? "" : indent + visible(line)) + "\n";
  return text;
}

struct Entry {
  std::string name;
  std::string doc;
};

std::string section(const std::string& title, const std::vector<Entry>& entries, const std::string& indent) {
  if (entries.empty()) return {};
  std::string text = indent + title + ":\n";
  for (const auto& entry : entries) {
    text += indent + kStep + visible(entry.name) + "\n" + indented(entry.doc, indent + kStep + kStep);
  }
  return text;
}

std::vector<earthfile::ArgInfo> args_of(const earthfile::File& file, const earthfile::RecipeInfo& own) {
  std::vector<earthfile::ArgInfo> args;
  for (auto& arg : earthfile::describe(file, file.base, true).args) {
    if (arg.global) args.push_back(std::move(arg));
  }
  args.insert(args.end(), own.args.begin(), own.args.end());
  return args;
}

}  // namespace

std::string arg_synopsis(const earthfile::ArgInfo& arg) {
  return "--" + arg.name + (arg.fallback ? "=" + *arg.fallback : "");
}

std::string first_line(const std::string& doc) {
  return doc.substr(0, doc.find('\n'));
}

std::string recipe_text(const earthfile::File& file, const earthfile::Recipe& target, bool all,
                        const std::string& indent) {
  const auto info = earthfile::describe(file, target.commands);
  std::vector<Entry> required;
  std::vector<Entry> optional;
  std::string synopsis;
  for (const auto& arg : args_of(file, info)) {
    const std::string shown = arg_synopsis(arg);
    (arg.required ? required : optional).push_back({shown, arg.doc});
  }
  for (const auto& entry : required) synopsis += " " + entry.name;
  for (const auto& entry : optional) synopsis += " [" + entry.name + "]";
  std::string text = indent + "+" + target.name + visible(synopsis) + "\n";
  text += indented(target.doc, indent + kStep + kStep);
  if (!all) return text;
  std::vector<Entry> artifacts;
  std::vector<Entry> local;
  std::vector<Entry> images;
  for (const auto& artifact : info.artifacts) {
    if (artifact.local.empty())
      artifacts.push_back({artifact.name, artifact.doc});
    else
      local.push_back({artifact.name + " -> " + artifact.local, artifact.doc});
  }
  for (const auto& image : info.images) images.push_back({base::join(image.names, ", "), image.doc});
  const std::string inner = indent + kStep;
  return text + section("REQUIRED ARGS", required, inner) + section("OPTIONAL ARGS", optional, inner) +
         section("ARTIFACTS", artifacts, inner) + section("LOCAL ARTIFACTS", local, inner) +
         section("IMAGES", images, inner);
}

}  // namespace ingot::client
