#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/commands/beside.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "daemon/earthfile/lint.h"

// lint.
namespace ingot::client {

namespace {

using nlohmann::json;

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
