#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/commands/artifact_words.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

// artifacts ls, artifacts rm.
namespace ingot::client {

namespace {

using base::fail;

Result<int> list(const Invocation& invocation, const std::vector<proto::Artifact>& artifacts) {
  if (wants_json(invocation)) {
    auto rows = nlohmann::json::array();
    for (const auto& artifact : artifacts) rows.push_back(proto::to_json(artifact));
    print_json({{"artifacts", rows}});
    return 0;
  }
  for (const auto& artifact : artifacts) {
    fmt::print("{:>3}  {:.19}  {:>9}  {}{}\n", artifact.id, artifact.digest, base::human_bytes(artifact.size),
               visible(artifact.name) + shown_platforms(artifact.platforms),
               artifact.removed_ms == 0 ? "" : "  (removed on " + human_time(artifact.removed_ms) + ")");
  }
  return 0;
}

Result<int> remove(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
                   const std::vector<proto::Artifact>& artifacts) {
  auto rows = nlohmann::json::array();
  for (const auto& artifact : artifacts) {
    INGOT_TRY(auto removed, daemon.remove_artifact(job.id, artifact.id));
    rows.push_back(proto::to_json(removed));
    if (wants_json(invocation) || is_quiet(invocation)) continue;
    if (artifact.removed_ms != 0) {
      fmt::print("{} was removed on {} already\n", visible(artifact.name), human_time(artifact.removed_ms));
    } else {
      fmt::print("removed {}, {}\n", visible(artifact.name), base::human_bytes(artifact.size));
    }
  }
  if (wants_json(invocation)) print_json({{"artifacts", rows}});
  return 0;
}

}  // namespace

Result<int> run_artifacts(const Invocation& invocation) {
  const auto& words = invocation.words;
  if (words.size() < 2) {
    return fail(ErrorKind::usage, "artifacts needs what to do, and a job", "ingot artifacts ls JOB");
  }
  const std::string& what = words.front();
  if (what != "ls" && what != "rm") {
    return fail(ErrorKind::usage, "there is no command \"artifacts " + base::printable(what) + "\"",
                base::did_you_mean(what, {"ls", "rm"}));
  }
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto job, daemon.job(words[1]));
  INGOT_TRY(auto all, daemon.artifacts(job.id));
  INGOT_TRY(auto selected, select_artifacts(all, {words.begin() + 2, words.end()}, job.id));
  if (what == "ls") return list(invocation, selected);
  return remove(invocation, daemon, job, selected);
}

}  // namespace ingot::client
