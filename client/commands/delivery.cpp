#include "client/commands/delivery.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "client/commands/common.h"
#include "client/fetch/local_artifacts.h"
#include "daemon/base/strings.h"

namespace ingot::client {

Result<ViewKind> choose_view(const Invocation& invocation) {
  const std::string how = invocation.value("--progress", "auto");
  if (how != "auto" && how != "plain" && how != "tty") {
    return base::fail(ErrorKind::usage, "--progress is auto, plain or tty, not \"" + base::printable(how) + "\"");
  }
  if (is_quiet(invocation) || wants_json(invocation)) return ViewKind::silent;
  if (how != "auto") return how == "plain" ? ViewKind::plain : ViewKind::live;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) != 0 && !dumb ? ViewKind::live : ViewKind::plain;
}

Status deliver(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
               const std::vector<proto::Artifact>& artifacts, EventView& view) {
  for (const auto& artifact : artifacts) {
    const std::string size = base::human_bytes(artifact.size);
    if (artifact.local_path.empty() || invocation.has("--no-output")) {
      view.message(fmt::format("{}  {}  {} (kept by the daemon: ingot get {} {})", artifact.digest, size,
                               visible(artifact.name), job.id, artifact.id));
      continue;
    }
    INGOT_CHECK(fetch_into_project(daemon, job.id, artifact, project_directory(invocation), nullptr));
    const std::string line = fmt::format("{}  {}  {}", artifact.digest, size, visible(artifact.local_path));
    view.message(line);
    if (is_quiet(invocation) && !wants_json(invocation)) std::printf("%s\n", line.c_str());
  }
  return {};
}

}  // namespace ingot::client
