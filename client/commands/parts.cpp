#include "client/commands/parts.h"

#include <fmt/format.h>

#include "client/commands/common.h"
#include "daemon/base/strings.h"

namespace ingot::client {

using base::fail;

Result<int> run_part(const Invocation& invocation, const std::vector<Part>& parts) {
  std::vector<std::string> names;
  names.reserve(parts.size());
  for (const auto& part : parts) names.emplace_back(part.name);
  INGOT_CHECK(need_words(invocation, base::join(names, ", ")));
  for (const auto& part : parts) {
    if (part.name != invocation.words.front()) continue;
    Daemon daemon = open_daemon(invocation);
    return part.run(invocation, daemon);
  }
  const std::string near = base::did_you_mean(invocation.words.front(), names);
  return fail(
      ErrorKind::usage,
      fmt::format("\"{}\" is nothing to do with a {}", base::printable(invocation.words.front()), invocation.command),
      near.empty() ? "there are " + base::join(names, ", ") : near);
}

Result<std::string> word_of_part(const Invocation& invocation, std::size_t index, const std::string& what) {
  if (invocation.words.size() > index) return invocation.words[index];
  return fail(ErrorKind::usage, fmt::format("ingot {} {} needs {}", invocation.command, invocation.words.front(), what),
              "`ingot " + invocation.command + " --help` tells more");
}

}  // namespace ingot::client
