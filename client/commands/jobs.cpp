#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/follow.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

// ps, show, manifest, logs, wait, cancel, retry.
namespace ingot::client {

namespace {

using proto::JobState;

std::string colored(const Style& style, JobState state, const std::string& phase = {}) {
  std::string text = fmt::format("{:<9}", phase.empty() ? proto::name_of(state) : base::printable(phase));
  switch (state) {
    case JobState::succeeded:
      return style.green(text);
    case JobState::failed:
      return style.red(text);
    case JobState::running:
      return style.bold(text);
    case JobState::canceled:
      return style.yellow(text);
    case JobState::queued:
      return text;
  }
  return text;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string duration_of(const proto::Job& job) {
  if (job.started_ms == 0) return job.queue_position > 0 ? fmt::format("place {}", job.queue_position) : "-";
  const std::int64_t end = job.finished_ms != 0 ? job.finished_ms : now_ms();
  return base::human_duration(static_cast<double>(std::max<std::int64_t>(0, end - job.started_ms)) / 1000);
}

void print_pairs(const char* title, const std::map<std::string, std::string>& pairs) {
  for (const auto& [key, value] : pairs) {
    std::printf("%-12s %s=%s\n", title, base::printable(key).c_str(), base::printable(value).c_str());
    title = "";
  }
}

}  // namespace

Result<int> run_ps(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto limit, number_flag(invocation, "--limit", 100));
  Daemon daemon = open_daemon(invocation);
  std::string labels;
  for (const auto& label : invocation.values("--label")) labels += (labels.empty() ? "" : ",") + label;
  const std::string filter =
      "limit=" + std::to_string(limit) + (labels.empty() ? "" : "&label=" + percent_encode(labels));
  std::vector<proto::Job> jobs;
  if (invocation.has("--state") || invocation.has("--all")) {
    const std::string state = invocation.value("--state");
    INGOT_TRY(jobs, daemon.jobs(filter + (state.empty() ? "" : "&state=" + percent_encode(state))));
  } else {
    INGOT_TRY(jobs, daemon.jobs(filter + "&state=queued"));
    INGOT_TRY(auto running, daemon.jobs(filter + "&state=running"));
    jobs.insert(jobs.end(), running.begin(), running.end());
  }
  if (wants_json(invocation)) {
    print_json(jobs_json(jobs));
    return 0;
  }
  if (is_quiet(invocation)) {
    for (const auto& job : jobs) std::printf("%s\n", job.id.c_str());
    return 0;
  }
  std::printf("%-12s %-9s %-20s %-10s %-20s %s\n", "JOB", "STATE", "TARGET", "TIME", "CREATED", "BY");
  for (const auto& job : jobs) {
    std::printf("%-12s %s %-20s %-10s %-20s %s\n", job.id.c_str(), colored(style, job.state, job.phase).c_str(),
                cut_to_width(base::printable(job.spec.target), 20).c_str(), duration_of(job).c_str(),
                human_time(job.created_ms).c_str(), base::printable(job.submitter.user).c_str());
  }
  return 0;
}

Result<int> run_show(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto id, only_word(invocation, "one job"));
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto job, daemon.job(id));
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (wants_json(invocation)) {
    print_json(job_json(job, results));
    return 0;
  }
  auto line = [](const char* title, const std::string& text) {
    if (!text.empty()) std::printf("%-12s %s\n", title, text.c_str());
  };
  line("job", job.id);
  line("state", colored(style, job.state, job.phase));
  line("target", base::printable(job.spec.target));
  print_pairs("args", job.spec.args);
  print_pairs("labels", job.spec.labels);
  line("platforms", base::printable(base::join(job.spec.platforms, " ")));
  line("secrets", base::printable(base::join(job.spec.secret_names, " ")));
  line("project", base::printable(job.spec.project));
  line("context", job.spec.context);
  for (const auto& image : job.from_images) {
    const auto platforms = image.platform.empty() ? std::vector<std::string>() : std::vector{image.platform};
    std::printf("%-12s %s  %s%s  %s\n", "from", image.digest.c_str(), visible(image.name).c_str(),
                shown_platforms(platforms).c_str(), visible(image.source).c_str());
  }
  for (const auto& one : job.from_repositories) {
    std::printf("%-12s %s  %s\n", "from", visible(one.commit).c_str(),
                visible(one.name + (one.ref.empty() ? "" : ":" + one.ref)).c_str());
  }
  line("submitter", fmt::format("{} (uid {})", base::printable(job.submitter.user), job.submitter.uid));
  line("priority", std::to_string(job.spec.priority));
  line("retry of", job.retry_of);
  line("created", human_time(job.created_ms));
  line("started", human_time(job.started_ms) + (job.attempts > 1 ? fmt::format(" (attempt {})", job.attempts) : ""));
  line("finished", human_time(job.finished_ms));
  line("time", duration_of(job));
  for (const auto& artifact : results.artifacts) {
    std::string where = artifact.local_path.empty() ? "" : "-> " + base::printable(artifact.local_path);
    if (artifact.removed_ms != 0) where = "(removed on " + human_time(artifact.removed_ms) + ")";
    std::printf("%-12s %s  %s  %s  %s\n", ("artifact " + artifact.id).c_str(), artifact.digest.c_str(),
                base::human_bytes(artifact.size).c_str(),
                (visible(artifact.name) + shown_platforms(artifact.platforms)).c_str(), where.c_str());
  }
  for (const auto& image : results.images) {
    std::printf("%-12s %s  %s  %s\n", "image", image.digest.c_str(), base::human_bytes(image.size).c_str(),
                visible(image.name).c_str());
    for (const auto& layer : image.layers) {
      std::printf("%-12s %s  %s\n", "  layer", layer.digest.c_str(), base::human_bytes(layer.size).c_str());
    }
  }
  if (!results.pack_manifest.empty()) line("pack", "`ingot manifest " + job.id + "` prints the manifest");
  if (job.error) std::printf("\n%s%s\n", style.red("ERROR ").c_str(), visible_lines(proto::render(*job.error)).c_str());
  return 0;
}

Result<int> run_manifest(const Invocation& invocation) {
  INGOT_TRY(const auto id, only_word(invocation, "one job"));
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(const auto job, daemon.job(id));
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (results.pack_manifest.empty()) {
    const std::string state = proto::is_final(job.state) ? "made no provider image" : "has not ended";
    return base::fail(ErrorKind::not_found, fmt::format("job {} {}", job.id, state),
                      "its manifest is of images named REGISTRY/REPO:KUBERNETES-VERSION-TAG, as +build-provider-images "
                      "makes them");
  }
  if (wants_json(invocation)) {
    print_json({{"manifest", results.pack_manifest}});
  } else {
    std::printf("%s", visible_lines(results.pack_manifest).c_str());
  }
  return 0;
}

Result<int> run_logs(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto from, number_flag(invocation, "--from", 0));
  INGOT_TRY(auto id, only_word(invocation, "one job"));
  Daemon daemon = open_daemon(invocation);
  auto view = make_view(wants_json(invocation) ? ViewKind::json : ViewKind::plain, style, is_verbose(invocation));
  auto go_on = [] { return std::ferror(stdout) == 0; };
  if (!invocation.has("--follow")) {
    INGOT_CHECK(daemon.events(id, from, false, [&](const proto::Event& event) {
      view->event(event);
      return go_on();
    }));
    return 0;
  }
  auto job = follow_job(daemon, id, from, *view, go_on);
  if (!job && !go_on()) return 0;  // main() sees to it
  if (!job) return base::fail(job.error());
  return exit_code_of(*job);
}

Result<int> run_wait(const Invocation& invocation) {
  INGOT_CHECK(need_words(invocation, "a job"));
  Daemon daemon = open_daemon(invocation);
  auto silent = make_view(ViewKind::silent, {});
  constexpr std::uint64_t kBehindEveryLog = 1ULL << 53U;  // only the end is of interest
  std::vector<proto::Job> jobs;
  int code = 0;
  for (const auto& id : invocation.words) {
    INGOT_TRY(auto job, follow_job(daemon, id, kBehindEveryLog, *silent));
    if (code == 0) code = exit_code_of(job);
    if (job.error) report(*job.error);
    if (!wants_json(invocation) && !is_quiet(invocation)) {
      std::printf("%s %s\n", job.id.c_str(), proto::name_of(job.state));
      std::fflush(stdout);
    }
    jobs.push_back(std::move(job));
  }
  if (wants_json(invocation)) print_json(jobs_json(jobs));
  return code;
}

Result<int> run_cancel(const Invocation& invocation) {
  INGOT_CHECK(need_words(invocation, "a job"));
  Daemon daemon = open_daemon(invocation);
  std::vector<proto::Job> jobs;
  for (const auto& id : invocation.words) {
    INGOT_TRY(auto job, daemon.cancel(id));
    if (!wants_json(invocation) && !is_quiet(invocation)) {
      const bool over = proto::is_final(job.state);
      std::printf("%s %s\n", job.id.c_str(), over ? proto::name_of(job.state) : "is being canceled");
    }
    jobs.push_back(std::move(job));
  }
  if (wants_json(invocation)) print_json(jobs_json(jobs));
  return 0;
}

Result<int> run_retry(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto id, only_word(invocation, "one job"));
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto job, daemon.retry(id));
  const bool follow = invocation.has("--follow");
  if (!wants_json(invocation)) std::printf("%s\n", job.id.c_str());
  std::fflush(stdout);
  if (follow) {
    const bool silent = wants_json(invocation) || is_quiet(invocation);
    auto view = make_view(silent ? ViewKind::silent : ViewKind::plain, style, is_verbose(invocation));
    INGOT_TRY(job, follow_job(daemon, job.id, 0, *view));
  }
  if (wants_json(invocation)) print_json(proto::to_json(job));
  return follow ? exit_code_of(job) : 0;
}

}  // namespace ingot::client
