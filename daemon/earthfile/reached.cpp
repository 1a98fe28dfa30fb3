#include "daemon/earthfile/reached.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <utility>

#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/lint_rules.h"
#include "daemon/earthfile/paths.h"

namespace ingot::earthfile {

namespace {

void add_references(const std::string& text, std::vector<Written>& references) {
  for (std::size_t plus = text.find('+'); plus != std::string::npos; plus = text.find('+', plus + 1)) {
    const std::size_t before = text.find_last_of("(=,\"' ", plus);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::size_t end = std::min(text.find_first_of("/),\"' ", plus), text.size());
    references.push_back({text.substr(begin, plus - begin), text.substr(plus + 1, end - plus - 1)});
  }
}

std::vector<Written> references_of(const std::vector<Command>& commands) {
  std::vector<Written> references;
  for_each_command(commands, [&](const Command& command) {
    for (auto& one : written_in(command)) references.push_back(std::move(one));
  });
  return references;
}

// By their names, the directories of the project that a file imports.
std::map<std::string, std::string> imports_of(const File& file) {
  std::map<std::string, std::string> imports;
  for_each_command(file, [&](const Command& command) {
    if (command.name != "IMPORT") return;
    const std::size_t first = first_word_behind_flags(command);
    if (first >= command.words.size()) return;
    const std::string& path = command.words[first].text;
    const bool is_named = first + 2 < command.words.size() && command.words[first + 1].text == "AS";
    imports[is_named ? command.words[first + 2].text : base_name(path)] = path;
  });
  return imports;
}

class Walk {
 public:
  explicit Walk(const FileOf& file_of) : file_of_(file_of) {}

  std::vector<ReachedFile> run(const std::string& target) {
    const std::size_t plus = target.find('+');
    want("", target.substr(plus == std::string::npos ? 0 : plus + 1));
    while (!left_.empty()) {
      const auto [at, commands] = left_.front();
      left_.pop_front();
      for (const Written& reference : references_of(*commands)) follow(files_[at].directory, at, reference);
    }
    return std::move(files_);
  }

 private:
  static constexpr std::size_t kMostFiles = 1000;

  void follow(const std::string& from, std::size_t at, const Written& reference) {
    if (reference.where.empty()) return want(from, reference.name);
    const auto import = imports_[at].find(reference.where);
    const std::string& path = import == imports_[at].end() ? reference.where : import->second;
    if (!path.starts_with('.') || path.find('$') != std::string::npos) return;
    const std::string whole = from.empty() ? path : from + "/" + path;
    if (!leaves_project(whole)) want(absolute("/", whole).substr(1), reference.name);
  }

  void want(const std::string& directory, const std::string& name) {
    const auto at = place_of(directory);
    if (!at) return;
    const File& file = *files_[*at].file;
    for (const auto* recipes : {&file.targets, &file.functions}) {
      for (const Recipe& recipe : *recipes) {
        if (recipe.name == name && files_[*at].recipes.insert(&recipe).second)
          left_.emplace_back(*at, &recipe.commands);
      }
    }
  }

  std::optional<std::size_t> place_of(const std::string& directory) {
    auto [known, is_new] = places_.try_emplace(directory);
    if (!is_new || files_.size() >= kMostFiles) return known->second;
    const File* file = file_of_(directory);
    if (file == nullptr) return std::nullopt;
    known->second = files_.size();
    files_.push_back({directory, file, {}});
    imports_.push_back(imports_of(*file));
    left_.emplace_back(*known->second, &file->base);
    return known->second;
  }

  const FileOf& file_of_;
  std::vector<ReachedFile> files_;
  std::vector<std::map<std::string, std::string>> imports_;  // by the same index
  std::map<std::string, std::optional<std::size_t>> places_;
  std::deque<std::pair<std::size_t, const std::vector<Command>*>> left_;
};

}  // namespace

std::vector<Written> written_in(const Command& command) {
  static const std::set<std::string> kReferring = {"FROM", "FROM DOCKERFILE", "BUILD", "COPY", "DO", "WITH DOCKER"};
  const bool refers = kReferring.contains(command.name);
  std::vector<Written> references;
  for (const Word& word : command.words) {
    // Of others only a mount takes from a target; what else has a plus is the shell's.
    if (refers || word.text.starts_with("--mount")) add_references(word.text, references);
  }
  return references;
}

std::vector<ReachedFile> reached(const std::string& target, const FileOf& file_of) {
  return Walk(file_of).run(target);
}

std::vector<Finding> within(const ReachedFile& reached, std::vector<Finding> findings) {
  std::map<int, const Recipe*> by_line;  // where each begins
  for (const auto* recipes : {&reached.file->targets, &reached.file->functions}) {
    for (const Recipe& recipe : *recipes) by_line[recipe.place.position().line] = &recipe;
  }
  std::erase_if(findings, [&](const Finding& finding) {
    // What is reached is called, if only from another file.
    if (finding.rule == "uncalled-function") return true;
    if (!finding.error.position) return false;
    const auto behind = by_line.upper_bound(finding.error.position->line);
    return behind != by_line.begin() && !reached.recipes.contains(std::prev(behind)->second);
  });
  return findings;
}

}  // namespace ingot::earthfile
