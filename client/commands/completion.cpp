#include <fmt/format.h>

#include <cstdio>

#include "client/cli/completion_scripts.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/earthfile/earthfile.h"

namespace ingot::client {

Result<int> run_completion(const Invocation& invocation) {
  INGOT_TRY(auto shell, only_word(invocation, "the name of a shell"));
  INGOT_TRY(auto script, completion_script(shell));
  std::fputs(script.c_str(), stdout);
  return 0;
}

int run_complete(const Invocation& invocation) {
  const std::string what = invocation.words.empty() ? "" : invocation.words.front();
  if (what == "targets") {
    auto text = sys::read_file(project_directory(invocation) / "Earthfile", 8U << 20);
    if (!text) return 0;
    auto file = earthfile::parse(*text, "Earthfile");
    if (!file) return 0;
    for (const auto& name : earthfile::target_names(*file)) std::printf("+%s\n", name.c_str());
  } else if (what == "jobs") {
    Daemon daemon = open_daemon(invocation);
    auto jobs = daemon.jobs("limit=50");
    if (!jobs) return 0;
    for (const auto& job : *jobs) std::printf("%s\n", job.id.c_str());
  }
  return 0;
}

}  // namespace ingot::client
