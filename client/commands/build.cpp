#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/follow.h"
#include "client/commands/submission.h"
#include "client/fetch/local_artifacts.h"
#include "client/locally/local_side.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::client {

namespace {

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

// Tells of large uploads as they go on, and of every upload when it is done.
class UploadTeller {
 public:
  explicit UploadTeller(EventView& view) : view_(view) {}
  void operator()(const UploadProgress& now) {
    constexpr std::uint64_t kWorthTelling = 64U << 20;
    const bool last = now.files_sent == now.files_to_send;
    if (!last && now.bytes_sent < told_ + kWorthTelling) return;
    told_ = now.bytes_sent;
    view_.message(fmt::format("sent {} of {} files, {} of {}", now.files_sent, now.files_to_send,
                              base::human_bytes(now.bytes_sent), base::human_bytes(now.bytes_to_send)));
  }

 private:
  EventView& view_;
  std::uint64_t told_ = 0;
};

// Puts what has an AS LOCAL in its place; tells of every artifact where it is.
Status fetch_local(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
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

}  // namespace

Result<int> run_build(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto kind, choose_view(invocation));
  Daemon daemon = open_daemon(invocation);
  auto view = make_view(kind, style, is_verbose(invocation));
  INGOT_TRY(auto job, submit_project(invocation, daemon, UploadTeller(*view)));
  view->message("job " + job.id);
  proto::Job ended;
  {
    const LocalSide local(daemon.socket_path(), job, project_directory(invocation));
    CancelOnInterrupt cancel(daemon, job.id, *view);
    INGOT_TRY(ended, follow_job(daemon, job.id, 0, *view));
  }
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (has_results(ended)) INGOT_CHECK(fetch_local(invocation, daemon, ended, results.artifacts, *view));
  const double seconds = static_cast<double>(ended.finished_ms - ended.created_ms) / 1000;
  view->message(
      fmt::format("job {} {} after {}", ended.id, proto::name_of(ended.state), base::human_duration(seconds)));
  if (!results.pack_manifest.empty() && kind != ViewKind::silent) {
    view->message(fmt::format("the cluster profile's pack manifest (`ingot manifest {}` prints it again):", ended.id));
    view.reset();  // it keeps the last lines of a terminal
    std::printf("\n%s", visible_lines(results.pack_manifest).c_str());
  }
  if (wants_json(invocation)) print_json(job_json(ended, results));
  return exit_code_of(ended);
}

Result<int> run_submit(const Invocation& invocation) {
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto job, submit_project(invocation, daemon, [](const UploadProgress&) {}));
  if (wants_json(invocation))
    print_json(proto::to_json(job));
  else
    std::printf("%s\n", job.id.c_str());
  return 0;
}

}  // namespace ingot::client
