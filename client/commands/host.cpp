#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/cli/help.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"
#include "proto/version.h"

// version, doctor, help.
namespace ingot::client {

Result<int> run_version(const Invocation& invocation) {
  Daemon daemon = open_daemon(invocation);
  auto theirs = daemon.version();
  if (wants_json(invocation)) {
    nlohmann::json body = {{"client", {{"version", proto::kVersion}, {"api", proto::kApiVersion}}}};
    if (theirs)
      body["daemon"] = proto::to_json(*theirs);
    else
      body["error"] = proto::to_json(theirs.error());
    print_json(body);
    return 0;
  }
  std::printf("ingot   %s (API %d)\n", proto::kVersion, proto::kApiVersion);
  if (theirs) {
    std::printf("ingotd  %s (API %d), features: %s\n", theirs->version.c_str(), theirs->api,
                base::join(theirs->features, ", ").c_str());
  } else {
    std::printf("ingotd  %s\n", theirs.error().message.c_str());
  }
  return 0;
}

Result<int> run_doctor(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  Daemon daemon = open_daemon(invocation);
  std::vector<proto::HostCheck> checks;
  auto version = daemon.version();
  const std::string answer = version ? fmt::format("ingotd {} answers at {}", version->version, daemon.socket_path())
                                     : version.error().message;
  checks.push_back({"daemon", version.has_value(), true, answer, version ? "" : version.error().hint});
  if (version) {
    INGOT_TRY(auto theirs, daemon.doctor());
    checks.insert(checks.end(), theirs.begin(), theirs.end());
  }
  bool able = true;
  auto list = nlohmann::json::array();
  for (const auto& check : checks) {
    able = able && (check.ok || !check.required);
    list.push_back(proto::to_json(check));
    if (wants_json(invocation)) continue;
    const std::string mark = check.ok ? style.green("ok  ") : check.required ? style.red("FAIL") : style.yellow("warn");
    std::printf("%s %-14s %s\n", mark.c_str(), check.name.c_str(), base::printable(check.detail).c_str());
    if (!check.cure.empty()) std::printf("%20s-> %s\n", "", base::printable(check.cure).c_str());
  }
  if (wants_json(invocation)) print_json({{"able", able}, {"checks", list}});
  if (able) return 0;
  return proto::info(version ? ErrorKind::unsupported : version.error().kind).exit_code;
}

Result<int> run_help(const Invocation& invocation) {
  if (invocation.words.empty()) {
    std::fputs(overview_help().c_str(), stdout);
    return 0;
  }
  const CommandInfo* command = find_command(invocation.words.front());
  if (command == nullptr) {
    std::vector<std::string> names;
    for (const auto& row : command_table()) names.push_back(row.name);
    return base::fail(ErrorKind::usage, "there is no command \"" + base::printable(invocation.words.front()) + "\"",
                      base::did_you_mean(invocation.words.front(), names));
  }
  std::fputs(command_help(*command).c_str(), stdout);
  return 0;
}

}  // namespace ingot::client
