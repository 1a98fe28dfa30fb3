#include "client/commands/recipe_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "client/commands/beside.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "client/render/text.h"
#include "daemon/earthfile/reached.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

std::vector<earthfile::Finding> recipe_warnings(const fs::path& project, const std::string& target) {
  std::map<std::string, std::unique_ptr<const earthfile::File>> files;  // by directory
  const auto file_of = [&](const std::string& directory) -> const earthfile::File* {
    auto [known, fresh] = files.try_emplace(directory);
    const fs::path path = (project / directory / "Earthfile").lexically_normal();
    if (!fresh) return known->second.get();
    if (auto file = parse_earthfile(path)) known->second = std::make_unique<earthfile::File>(*std::move(file));
    return known->second.get();
  };
  std::vector<earthfile::Finding> all;
  for (const auto& one : earthfile::reached(target, file_of)) {
    Beside beside(project / one.directory);
    auto findings = earthfile::within(one, earthfile::lint(*one.file, beside.surroundings()));
    all.insert(all.end(), std::make_move_iterator(findings.begin()), std::make_move_iterator(findings.end()));
  }
  return all;
}

std::string line_of(const earthfile::Finding& finding) {
  Error error = finding.error;
  error.hint.clear();
  if (error.position) error.position->source_line.clear();
  return visible(proto::render(error)) + " [" + finding.rule + "]";
}

}  // namespace

RecipeWarnings::RecipeWarnings(const Invocation& invocation, const fs::path& project, const std::string& target)
    : is_strict_(invocation.has("--strict")), target_(target) {
  if (proto::names_repository(target) || (is_quiet(invocation) && !is_strict_)) return;
  findings_ = std::async(std::launch::async | std::launch::deferred,
                         [project, target] { return recipe_warnings(project, target); });
}

Status RecipeWarnings::tell() {
  constexpr std::size_t kMostTold = 10;
  if (!findings_.valid()) return {};
  const auto findings = findings_.get();
  const std::size_t told = is_strict_ ? findings.size() : std::min(findings.size(), kMostTold);
  for (std::size_t i = 0; i < told; ++i) {
    std::fprintf(stderr, "ingot: warning: %s\n", line_of(findings[i]).c_str());
  }
  if (told < findings.size()) {
    std::fprintf(stderr, "ingot: and %zu more warnings: `ingot lint` tells them all\n", findings.size() - told);
  }
  if (!is_strict_ || findings.empty()) return {};
  return base::fail(ErrorKind::invalid,
                    fmt::format("there {} in what {} is built from, and --strict lets none pass",
                                findings.size() == 1 ? "is a warning" : "are warnings", visible(target_)),
                    "correct what they name; `ingot lint` says how");
}

}  // namespace ingot::client
