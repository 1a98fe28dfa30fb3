#include "client/commands/boot_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/delivery.h"
#include "client/commands/follow.h"
#include "client/context/upload.h"
#include "client/fetch/download.h"
#include "client/templates/templates.h"
#include "daemon/base/strings.h"
#include "daemon/sys/temp_dir.h"

// boot-test.
namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;

constexpr const char* kIsoName = "system.iso";  // as the template's Earthfile has it

// An ISO from which tests are sent: the template's files and it, in a directory of their own.
Result<sys::TempDir> make_project() {
  std::error_code error;
  INGOT_TRY(auto project, sys::TempDir::create(fs::temp_directory_path(error), "ingot-boot-test-"));
  for (const auto& file : boot_test_template()) INGOT_CHECK(write_template_file(project.path(), file, file.content));
  return project;
}

// As a further name where that is possible: it may be large.
Status put_iso(const fs::path& project, const fs::path& iso) {
  std::error_code error;
  fs::create_hard_link(iso, project / kIsoName, error);
  if (!error) return {};
  fs::copy_file(iso, project / kIsoName, error);
  return error ? base::fail_errno(error.value(), "cannot read " + iso.string()) : Status();
}

// `name` is what people call the ISO; `label` says what it came from.
Result<int> run_test(const Invocation& invocation, Daemon& daemon, const BootTest& how, const fs::path& project,
                     const std::string& name, const std::string& label) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(const auto kind, choose_view(invocation));
  INGOT_TRY(const auto patience, base::parse_duration(invocation.value("--patience", "10m")));
  proto::JobSpec spec;
  spec.target = "+boot-test";
  spec.args = {{"FIRMWARE", how.firmware},
               {"MEDIUM", how.medium},
               {"INSTALL", how.install ? "true" : "false"},
               {"PATIENCE", std::to_string(static_cast<std::uint64_t>(patience))},
               {"EXPECT", invocation.value("--expect")}};
  spec.labels = {{"boot-test", label}};
  spec.project = name;
  spec.idempotency_key = "ingot-" + base::random_id(20);
  INGOT_TRY(spec.context, upload_project(daemon, project, [](const UploadProgress&) {}));
  auto view = make_view(kind, style, is_verbose(invocation));
  INGOT_TRY(const auto job, daemon.submit(spec));
  view->message(fmt::format("boot test of {}: {}, {}{}: job {}", visible(name), how.firmware, how.medium,
                            how.install ? ", installed" : "", job.id));
  proto::Job ended;
  {
    CancelOnInterrupt cancel(daemon, job.id, *view);
    INGOT_TRY(ended, follow_job(daemon, job.id, 0, *view));
  }
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (has_results(ended)) INGOT_CHECK(deliver(invocation, daemon, ended, results.artifacts, *view));
  const bool came_up = ended.state == proto::JobState::succeeded;
  view->message(fmt::format("boot test {}: {}", ended.id, came_up ? "a system came up" : "no system came up"));
  // Of a build the last word is its own.
  if (wants_json(invocation) && invocation.command == "boot-test") print_json(job_json(ended, results));
  return exit_code_of(ended);
}

Result<proto::Artifact> find_iso(const proto::Job& job, const std::vector<proto::Artifact>& artifacts) {
  const auto iso = std::find_if(artifacts.begin(), artifacts.end(), [](const proto::Artifact& artifact) {
    return artifact.name.ends_with(".iso") && artifact.removed_ms == 0;
  });
  if (iso != artifacts.end()) return *iso;
  return fail(ErrorKind::not_found, fmt::format("job {} has no ISO to start", job.id),
              "an artifact whose name ends with .iso is one");
}

Result<BootTest> from_flags(const Invocation& invocation) {
  std::vector<std::string> words;
  for (const char* word : {"bios", "uefi", "secure-boot", "setup-mode", "usb", "install"}) {
    if (invocation.has("--" + std::string(word))) words.emplace_back(word);
  }
  return read_boot_test(base::join(words, ","));
}

}  // namespace

Result<BootTest> read_boot_test(const std::string& words) {
  BootTest how;
  std::string firmware;
  for (const auto& word : base::split(words, ',')) {
    if (word.empty()) continue;
    if (word == "usb" || word == "cd") {
      how.medium = word;
    } else if (word == "install") {
      how.install = true;
    } else if (word != "bios" && word != "uefi" && word != "secure-boot" && word != "setup-mode") {
      const std::vector<std::string> known = {"bios", "uefi", "secure-boot", "setup-mode", "cd", "usb", "install"};
      const std::string hint = base::did_you_mean(word, known);
      return fail(ErrorKind::usage, "\"" + base::printable(word) + "\" is no way to start an ISO",
                  hint.empty() ? "known: " + base::join(known, ", ") : hint);
    } else if (!firmware.empty() && firmware != word) {
      return fail(ErrorKind::usage, fmt::format("a machine has one firmware, not {} and {}", firmware, word),
                  "test one after the other");
    } else {
      firmware = how.firmware = word;
    }
  }
  return how;
}

Result<int> boot_test_job(const Invocation& invocation, Daemon& daemon, const BootTest& how, const proto::Job& job,
                          const std::vector<proto::Artifact>& artifacts) {
  INGOT_TRY(const auto iso, find_iso(job, artifacts));
  INGOT_TRY(const auto project, make_project());
  INGOT_CHECK(download_file(daemon, job.id, iso, project.path() / kIsoName, nullptr));
  return run_test(invocation, daemon, how, project.path(), iso.name, job.id);
}

Result<int> run_boot_test(const Invocation& invocation) {
  INGOT_TRY(const auto what, only_word(invocation, "an ISO or a job"));
  INGOT_TRY(const auto how, from_flags(invocation));
  Daemon daemon = open_daemon(invocation);
  std::error_code error;
  const fs::path file = fs::absolute(what, error);
  if (!fs::is_regular_file(file, error)) {
    auto job = daemon.job(what);
    if (!job && job.error().kind == ErrorKind::not_found) {
      return fail(ErrorKind::not_found, "\"" + base::printable(what) + "\" is neither a file nor a job",
                  "`ingot ps --all` lists the jobs");
    }
    if (!job) return fail(job.error());
    INGOT_TRY(const auto artifacts, daemon.artifacts(job->id));
    return boot_test_job(invocation, daemon, how, *job, artifacts);
  }
  INGOT_TRY(const auto project, make_project());
  INGOT_CHECK(put_iso(project.path(), file));
  return run_test(invocation, daemon, how, project.path(), file.string(), file.filename().string());
}

}  // namespace ingot::client
