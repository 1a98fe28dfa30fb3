#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "client/commands/artifact_words.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/fetch/download.h"
#include "client/render/progress_line.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;

// The artifact's last name; a directory comes as a tar. A name that could not be a file's is replaced by its number.
std::string file_name(const proto::Artifact& artifact) {
  std::string name = artifact.name.substr(artifact.name.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") name = "artifact-" + artifact.id;
  return artifact.media_type == proto::kDirectoryMediaType ? name + ".tar" : name;
}

// What was removed is passed over with a word, unless it was asked for or nothing else is there.
Result<std::vector<proto::Artifact>> without_removed(std::vector<proto::Artifact> selected, bool by_name,
                                                     const std::string& job) {
  std::vector<proto::Artifact> there;
  for (auto& artifact : selected) {
    if (artifact.removed_ms == 0) there.push_back(std::move(artifact));
  }
  if (there.size() == selected.size()) return there;
  if (by_name || there.empty()) {
    const auto gone =
        std::find_if(selected.begin(), selected.end(), [](const auto& artifact) { return artifact.removed_ms != 0; });
    return fail(ErrorKind::not_found,
                fmt::format("artifact {} ({}) of job {} was removed on {}", gone->id, visible(gone->name), job,
                            human_time(gone->removed_ms)),
                "`ingot retry " + job + "` makes it again");
  }
  fmt::print(stderr, "{} of the job's {} artifacts were removed; `ingot show {}` tells which\n",
             selected.size() - there.size(), selected.size(), job);
  return there;
}

Status check_names_differ(const std::vector<proto::Artifact>& artifacts) {
  std::map<std::string, std::string> taken;
  for (const auto& artifact : artifacts) {
    auto [other, fresh] = taken.emplace(file_name(artifact), artifact.id);
    if (fresh || other->second == artifact.id) continue;
    return fail(ErrorKind::conflict,
                fmt::format("artifacts {} and {} would both be written to {}", other->second, artifact.id,
                            visible(other->first)),
                "fetch them one by one, each with its own -o");
  }
  return {};
}

Result<int> get_to_stdout(Daemon& daemon, const std::string& job, const std::vector<proto::Artifact>& selected) {
  if (selected.size() != 1) {
    return fail(ErrorKind::usage, "standard output takes one artifact", "name the one you want");
  }
  if (isatty(STDOUT_FILENO) != 0) {
    return fail(ErrorKind::usage, "an artifact is not written to a terminal", "name a file with -o, or use a pipe");
  }
  INGOT_CHECK(download_stream(daemon, job, selected.front(), STDOUT_FILENO));
  return 0;
}

}  // namespace

Result<int> run_get(const Invocation& invocation) {
  INGOT_CHECK(need_words(invocation, "a job"));
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto job, daemon.job(invocation.words.front()));
  INGOT_TRY(auto all, daemon.artifacts(job.id));
  INGOT_TRY(auto selected, select_artifacts(all, {invocation.words.begin() + 1, invocation.words.end()}, job.id));
  INGOT_TRY(selected, without_removed(std::move(selected), invocation.words.size() > 1, job.id));
  if (selected.empty()) {
    return fail(ErrorKind::not_found, fmt::format("job {} has no artifacts", job.id),
                proto::is_final(job.state) ? "its target has no SAVE ARTIFACT, or it failed" : "it has not ended yet");
  }
  const std::string output = invocation.value("--output", ".");
  if (output == "-") return get_to_stdout(daemon, job.id, selected);
  std::error_code ignored;
  const bool into_directory = selected.size() > 1 || output.ends_with('/') || fs::is_directory(output, ignored);
  if (into_directory) {
    INGOT_CHECK(check_names_differ(selected));
    INGOT_CHECK(sys::make_directories(output, 0777));
  }
  const bool silent = wants_json(invocation) || is_quiet(invocation);
  ProgressLine progress(!silent);
  auto list = nlohmann::json::array();
  for (const auto& artifact : selected) {
    const fs::path destination = into_directory ? fs::path(output) / file_name(artifact) : fs::path(output);
    INGOT_CHECK(download_file(daemon, job.id, artifact, fs::absolute(destination), progress.of(artifact.name)));
    progress.clear();
    auto row = proto::to_json(artifact);
    row["path"] = destination.string();
    list.push_back(row);
    if (silent) continue;
    std::printf("%s  %s  %s\n", artifact.digest.c_str(), base::human_bytes(artifact.size).c_str(),
                visible(destination.string()).c_str());
  }
  if (wants_json(invocation)) print_json({{"artifacts", list}});
  return 0;
}

}  // namespace ingot::client
