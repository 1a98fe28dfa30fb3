#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "daemon/base/ignore.h"
#include "daemon/earthfile/lint.h"
#include "daemon/sys/files.h"

// lint.
namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What stands beside a file.
class Beside {
 public:
  explicit Beside(fs::path directory) : directory_(std::move(directory)) {
    if (auto rules = sys::read_file(directory_ / ".earthlyignore", 1U << 20)) rules_ = base::IgnoreRules::parse(*rules);
  }

  earthfile::Surroundings surroundings() {
    return {[this](const std::string& directory) { return other(directory); },
            [this](const std::string& path) { return ignored(path); }};
  }

 private:
  const earthfile::File* other(const std::string& directory) {
    auto [known, fresh] = others_.try_emplace(directory);
    if (fresh) {
      const fs::path path = (directory_ / directory / "Earthfile").lexically_normal();
      if (auto file = parse_earthfile(path)) known->second = std::make_unique<earthfile::File>(*std::move(file));
    }
    return known->second.get();
  }

  // As the scan goes down: what is in a directory that is not entered is not sent, whatever else matches it.
  bool ignored(const std::string& path) const {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string above = path.substr(0, slash);
      if (rules_.ignores(above) && !rules_.may_bring_back_below(above)) return true;
    }
    return rules_.ignores(path) && !rules_.may_bring_back_below(path);
  }

  fs::path directory_;
  base::IgnoreRules rules_;
  std::map<std::string, std::unique_ptr<const earthfile::File>> others_;
};

json finding_json(const char* severity, const std::string& rule, const Error& error) {
  json row = proto::to_json(error);
  row["severity"] = severity;
  row["rule"] = rule;
  return row;
}

}  // namespace

Result<int> run_lint(const Invocation& invocation) {
  int code = 0;
  std::size_t warnings = 0;
  auto list = json::array();
  for (const auto& path : earthfile_paths(invocation)) {
    const auto file = parse_earthfile(path);
    if (!file) {
      for (const auto& error : file.error()) {
        if (!wants_json(invocation)) report(error);
        list.push_back(finding_json("error", "syntax", error));
      }
      if (code == 0) code = proto::info(file.error().front().kind).exit_code;
      continue;
    }
    Beside beside(path.has_parent_path() ? path.parent_path() : ".");
    for (auto& finding : earthfile::lint(*file, beside.surroundings())) {
      ++warnings;
      list.push_back(finding_json("warning", finding.rule, finding.error));
      finding.error.message = fmt::format("warning: {} [{}]", finding.error.message, finding.rule);
      if (!wants_json(invocation)) std::printf("%s\n", visible_lines(proto::render(finding.error)).c_str());
    }
  }
  if (wants_json(invocation)) print_json({{"findings", list}});
  if (code != 0) return code;
  return warnings > 0 && invocation.has("--strict") ? 1 : 0;
}

}  // namespace ingot::client
