#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "client/commands/artifact_words.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/fetch/download.h"
#include "client/fetch/local_artifacts.h"
#include "client/render/progress_line.h"
#include "daemon/base/strings.h"
#include "daemon/sys/atomic_file.h"
#include "proto/codec.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;

// The artifact's last name; a directory comes as a tar, an image as its manifest. A name that could not be a file's is
// replaced by its number.
std::string file_name(const proto::Artifact& artifact) {
  std::string name = artifact.name.substr(artifact.name.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") name = "artifact-" + artifact.id;
  if (artifact.media_type == proto::kManifestMediaType || artifact.media_type == proto::kIndexMediaType) {
    return name + ".json";
  }
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

// What is fetched, line by line or as JSON.
class Fetched {
 public:
  explicit Fetched(const Invocation& invocation)
      : is_json_(wants_json(invocation)), is_silent_(is_json_ || is_quiet(invocation)), progress_(!is_silent_) {}

  DownloadProgress progress_of(const proto::Artifact& artifact) { return progress_.of(artifact.name); }
  void add(const proto::Artifact& artifact, const fs::path& path) {
    progress_.clear();
    auto row = proto::to_json(artifact);
    row["path"] = path.string();
    list_.push_back(std::move(row));
    if (is_silent_) return;
    std::printf("%s  %s  %s\n", artifact.digest.c_str(), base::human_bytes(artifact.size).c_str(),
                visible(path.string()).c_str());
  }
  void end() const {
    if (is_json_) print_json({{"artifacts", list_}});
  }

 private:
  const bool is_json_;
  const bool is_silent_;
  ProgressLine progress_;
  nlohmann::json list_ = nlohmann::json::array();
};

// Where a build leaves what its target saves without a place of its own.
constexpr const char* kBuildDirectory = "build";

// Everything, as a build leaves it: AS LOCAL in its place, the rest in build/, the pack manifest too.
Result<int> get_all(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
                    const std::vector<proto::Artifact>& artifacts) {
  const fs::path project = project_directory(invocation);
  const fs::path rest = project / kBuildDirectory;
  std::vector<proto::Artifact> without_place;
  std::copy_if(artifacts.begin(), artifacts.end(), std::back_inserter(without_place),
               [](const auto& artifact) { return artifact.local_path.empty(); });
  INGOT_CHECK(check_names_differ(without_place));
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (!without_place.empty() || !results.pack_manifest.empty()) INGOT_CHECK(sys::make_directories(rest, 0777));
  Fetched fetched(invocation);
  for (const auto& artifact : artifacts) {
    if (!artifact.local_path.empty()) {
      INGOT_CHECK(fetch_into_project(daemon, job.id, artifact, project, fetched.progress_of(artifact)));
      fetched.add(artifact, fs::path(artifact.local_path));
      continue;
    }
    const fs::path destination = rest / file_name(artifact);
    INGOT_CHECK(download_file(daemon, job.id, artifact, fs::absolute(destination), fetched.progress_of(artifact)));
    fetched.add(artifact, fs::path(kBuildDirectory) / file_name(artifact));
  }
  if (!results.pack_manifest.empty()) {
    INGOT_TRY(auto manifest, sys::AtomicFile::create(rest / "pack-manifest.yaml", 0666));
    INGOT_CHECK(manifest.write(results.pack_manifest));
    INGOT_CHECK(manifest.commit());
  }
  fetched.end();
  return 0;
}

Result<int> get_selected(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
                         const std::vector<proto::Artifact>& selected) {
  const std::string output = invocation.value("--output", ".");
  if (output == "-") return get_to_stdout(daemon, job.id, selected);
  std::error_code ignored;
  const bool into_directory = selected.size() > 1 || output.ends_with('/') || fs::is_directory(output, ignored);
  if (into_directory) {
    INGOT_CHECK(check_names_differ(selected));
    INGOT_CHECK(sys::make_directories(output, 0777));
  }
  Fetched fetched(invocation);
  for (const auto& artifact : selected) {
    const fs::path destination = into_directory ? fs::path(output) / file_name(artifact) : fs::path(output);
    INGOT_CHECK(download_file(daemon, job.id, artifact, fs::absolute(destination), fetched.progress_of(artifact)));
    fetched.add(artifact, destination);
  }
  fetched.end();
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
  if (!invocation.has("--output") && invocation.words.size() == 1) return get_all(invocation, daemon, job, selected);
  return get_selected(invocation, daemon, job, selected);
}

}  // namespace ingot::client
