#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "client/commands/boot_test.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/delivery.h"
#include "client/commands/follow.h"
#include "client/commands/submission.h"
#include "client/locally/local_side.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::client {

namespace {

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

}  // namespace

Result<int> run_build(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  INGOT_TRY(auto kind, choose_view(invocation));
  std::optional<BootTest> boot_test;
  if (invocation.has("--boot-test")) {
    INGOT_TRY(boot_test, read_boot_test(invocation.value("--boot-test")));
  }
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
  // What does not come up is not put into anybody's hands.
  if (boot_test && ended.state == proto::JobState::succeeded) {
    view.reset();
    INGOT_TRY(const int code, boot_test_job(invocation, daemon, *boot_test, ended, results.artifacts));
    view = make_view(kind, style, is_verbose(invocation));
    if (code != 0) {
      view->message(fmt::format("what job {0} built is not put into its place; `ingot get {0}` does so", ended.id));
      return code;
    }
  }
  if (has_results(ended)) INGOT_CHECK(deliver(invocation, daemon, ended, results.artifacts, *view));
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
