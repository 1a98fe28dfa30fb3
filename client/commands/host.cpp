#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/cli/help.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"
#include "proto/version.h"

// version, help.
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
    std::printf("ingotd  %s\n", visible(theirs.error().message).c_str());
  }
  return 0;
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
