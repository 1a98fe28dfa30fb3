#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/edge/check_user_data.h"
#include "daemon/edge/schema.h"
#include "daemon/sys/files.h"

// validate.
namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// Larger ones are refused by their size; a little of each is enough to do so.
constexpr std::size_t kMostRead = 16U << 20U;

nlohmann::json finding_json(const char* severity, const Error& error) {
  nlohmann::json row = proto::to_json(error);
  row["severity"] = severity;
  return row;
}

}  // namespace

Result<int> run_validate(const Invocation& invocation) {
  if (invocation.has("--schema")) {
    std::printf("%s\n", edge::json_schema(edge::user_data_schema(), "user-data of an edge installer").dump(2).c_str());
    return 0;
  }
  std::vector<std::string> files = invocation.words;
  if (files.empty()) files.emplace_back("user-data");
  std::size_t errors = 0;
  std::size_t warnings = 0;
  auto list = nlohmann::json::array();
  for (const auto& name : files) {
    const fs::path path = project_directory(invocation) / name;
    INGOT_TRY(const auto text, sys::read_file(path, kMostRead));
    const auto findings = edge::check_user_data(text, name);
    errors += findings.errors.size();
    warnings += findings.warnings.size();
    for (const auto& error : findings.errors) {
      if (!wants_json(invocation)) report(error);
      list.push_back(finding_json("error", error));
    }
    for (const auto& warning : findings.warnings) {
      if (!wants_json(invocation) && !is_quiet(invocation)) report_warning(warning);
      list.push_back(finding_json("warning", warning));
    }
    if (findings.errors.empty() && findings.warnings.empty() && !wants_json(invocation) && !is_quiet(invocation)) {
      std::printf("%s: nothing to complain of\n", visible(name).c_str());
    }
  }
  const bool failed = errors > 0 || (warnings > 0 && invocation.has("--strict"));
  if (wants_json(invocation)) print_json({{"ok", !failed}, {"findings", list}});
  return failed ? proto::info(ErrorKind::invalid).exit_code : 0;
}

}  // namespace ingot::client
