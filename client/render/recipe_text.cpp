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
  std::vector<Entry> global;
  std::string synopsis;
  for (const auto& arg : earthfile::describe(file, file.base, true).args) {
    if (arg.global) (arg.required ? required : global).push_back({arg_synopsis(arg), arg.doc});
  }
  for (const auto& arg : info.args) (arg.required ? required : optional).push_back({arg_synopsis(arg), arg.doc});
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
         section("GLOBAL ARGS", global, inner) + section("ARTIFACTS", artifacts, inner) +
         section("LOCAL ARTIFACTS", local, inner) + section("IMAGES", images, inner);
}

}  // namespace ingot::client
