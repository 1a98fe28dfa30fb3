#include "daemon/earthfile/print.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kIndent = 4;

std::string margin(std::size_t depth) {
  return std::string(depth * kIndent, ' ');
}

std::string comment_lines(const std::string& doc, std::size_t depth) {
  std::string text;
  auto lines = base::split(doc, '\n');
  if (!lines.empty()) lines.pop_back();  // each line has its line break
  for (const auto& line : lines) text += margin(depth) + (line.empty() ? "#" : "# " + line) + "\n";
  return text;
}

// A backslash with nothing but white space behind it would go on with the next line, so that it gets one that does so
// for nothing: only the end of a file can have made such a text. Of a line's end a carriage return is taken for a part.
std::string arguments_as_written(const std::string& arguments) {
  std::string text;
  const std::size_t last = arguments.find_last_not_of(" \t\r");
  std::size_t backslashes = 0;
  for (std::size_t i = last + 1; i > 0 && arguments[i - 1] == '\\'; --i) ++backslashes;
  const bool escapes_end = last + 1 < arguments.size() && backslashes % 2 == 1;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const char next = i + 1 < arguments.size() ? arguments[i + 1] : escapes_end ? '\\' : '\n';
    if (arguments[i] == '\r' && next == '\n') text += '\r';
    text += arguments[i];
  }
  return escapes_end ? text + "\\" : text;
}

void print_commands(const std::vector<Command>& commands, std::size_t depth, std::string& text);

void print_head(const Command& command, std::size_t depth, std::string& text) {
  if (!command.doc.empty()) text += comment_lines(command.doc, depth);
  text += margin(depth) + command.name;
  if (!command.arguments.empty()) text += " " + arguments_as_written(command.arguments);
  text += "\n";
}

// A comment that is nobody's must not become somebody's: an ARG or SAVE below takes what stands right above it only,
// and the tree has no other comments.
void print_commands(const std::vector<Command>& commands, std::size_t depth, std::string& text) {
  for (const Command& command : commands) {
    print_head(command, depth, text);
    const bool block = block_role(command.name) == BlockRole::opens;
    if (!block) continue;
    print_commands(command.body, depth + 1, text);
    for (const Command& branch : command.alternatives) {
      print_head(branch, depth, text);
      print_commands(branch.body, depth + 1, text);
    }
    text += margin(depth) + "END\n";
  }
}

bool same_commands(const std::vector<Command>& a, const std::vector<Command>& b);

bool same_command(const Command& a, const Command& b) {
  const auto same_word = [](const Word& x, const Word& y) { return x.text == y.text && x.begin == y.begin; };
  return a.name == b.name && a.arguments == b.arguments && a.doc == b.doc &&
         std::equal(a.words.begin(), a.words.end(), b.words.begin(), b.words.end(), same_word) &&
         same_commands(a.body, b.body) && same_commands(a.alternatives, b.alternatives);
}

bool same_commands(const std::vector<Command>& a, const std::vector<Command>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_command);
}

bool same_recipe(const Recipe& a, const Recipe& b) {
  return a.name == b.name && a.doc == b.doc && same_commands(a.commands, b.commands);
}

bool same_recipes(const std::vector<Recipe>& a, const std::vector<Recipe>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_recipe);
}

}  // namespace

std::string print(const File& file) {
  std::string text = "VERSION";
  for (const auto& feature : file.features) text += " --" + feature;
  text += " " + file.version + "\n";
  if (!file.base.empty()) text += "\n";
  print_commands(file.base, 0, text);
  std::vector<const Recipe*> recipes;
  for (const auto* all : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *all) recipes.push_back(&recipe);
  }
  std::stable_sort(recipes.begin(), recipes.end(),
                   [](const Recipe* a, const Recipe* b) { return a->place.offset < b->place.offset; });
  for (const Recipe* recipe : recipes) {
    text += "\n" + comment_lines(recipe->doc, 0) + recipe->name + ":\n";
    print_commands(recipe->commands, 1, text);
  }
  return text;
}

bool same_tree(const File& a, const File& b) {
  return a.version == b.version && a.features == b.features && same_commands(a.base, b.base) &&
         same_recipes(a.targets, b.targets) && same_recipes(a.functions, b.functions);
}

}  // namespace ingot::earthfile
