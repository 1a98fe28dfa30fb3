#include "client/earthly/run.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/commands/common.h"
#include "client/commands/follow.h"
#include "client/commands/secrets.h"
#include "client/commands/submission.h"
#include "client/earthly/build_request.h"
#include "client/earthly/commands.h"
#include "client/earthly/output.h"
#include "client/earthly/view.h"
#include "client/locally/local_side.h"
#include "daemon/sys/files.h"
#include "proto/version.h"

namespace ingot::client::earthly {

namespace {

Style style_of_log() {
  const auto is_set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  return {!is_set("NO_COLOR") && (is_set("FORCE_COLOR") || isatty(STDERR_FILENO) != 0)};
}

World real_world() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          [](const std::string& path) { return sys::read_file(path, 1U << 20); }};
}

// The end of a job that failed is told by its events.
Result<bool> build(const BuildRequest& request, View& view) {
  Daemon daemon = open_daemon(request.invocation);
  INGOT_TRY(auto job, submit_project(request.invocation, daemon, [](const UploadProgress&) {}));
  view.message("job " + job.id);
  {
    const LocalSide local(daemon.socket_path(), job, project_directory(request.invocation));
    CancelOnInterrupt cancel(daemon, job.id, view);
    INGOT_TRY(job, follow_job(daemon, job.id, 0, view));
  }
  if (job.state == proto::JobState::canceled) return base::fail(ErrorKind::canceled, "the build was canceled");
  if (job.state != proto::JobState::succeeded) {
    if (has_results(job)) INGOT_CHECK(write_rest(daemon, request, job, view));
    return false;
  }
  INGOT_CHECK(write_output(daemon, request, job, view));
  view.success();
  // Wrappers of edge projects print it in the end, and their users copy it from there.
  if (is_quiet(request.invocation)) return true;
  INGOT_TRY(const auto results, daemon.results(job.id));
  if (!results.pack_manifest.empty()) std::printf("%s", visible_lines(results.pack_manifest).c_str());
  return true;
}

Result<bool> run_line(const CommandLine& line, int argc, char** argv) {
  const auto done = [](const Status& status) -> Result<bool> {
    if (!status) return base::fail(status.error());
    return true;
  };
  if (line.has("version") || line.command == "version") {
    // Scripts that look at it expect the language's last release.
    std::printf("earthly version v0.8.16 (ingot %s)\n", proto::kVersion);
    return true;
  }
  if (line.has("help") || line.command == "help" || line.command.empty()) {
    help();
    return line.has("help") || line.command == "help";
  }
  if (line.command == "ls") return done(list_targets(line));
  if (line.command == "doc") return done(document(line));
  if (line.command == "prune") return done(prune(line));
  if (line.command == "init") return done(init());
  if (line.command == "debug") return done(debug(line));
  if (line.command != "build") return true;  // one that does nothing here
  INGOT_TRY(const auto request, build_request(line));
  hide_secrets(request.invocation, argc, argv);
  if (line.has("ssh-auth-sock")) setenv("SSH_AUTH_SOCK", line.value("ssh-auth-sock").c_str(), 1);
  View view(stderr, style_of_log(), request.invocation.has("--verbose"));
  return build(request, view);
}

}  // namespace

bool is_called(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "earthly";
}

int run(int argc, char** argv) {
  View view(stderr, style_of_log(), false);
  const auto line = read_command_line({argv + 1, argv + argc}, real_world());
  if (!line) {
    view.failure(line.error());
    return 1;
  }
  for (const auto& warning : line->warnings) view.tell("ingot", "Warning: " + visible(warning));
  const auto succeeded = run_line(*line, argc, argv);
  if (!succeeded) {
    view.failure(succeeded.error());
    return succeeded.error().kind == ErrorKind::canceled ? proto::info(ErrorKind::canceled).exit_code : 1;
  }
  errno = 0;
  if (std::fflush(stdout) != 0 && errno != EPIPE) {
    std::fprintf(stderr, "earthly: cannot write the output: %s\n", std::strerror(errno));
    return 1;
  }
  return *succeeded ? 0 : 1;
}

}  // namespace ingot::client::earthly
