#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "daemon/app/command_line.h"
#include "daemon/app/daemon.h"
#include "daemon/app/notify.h"
#include "daemon/base/log.h"
#include "daemon/sys/in_memory.h"
#include "daemon/sys/mounts.h"
#include "proto/version.h"

namespace {

using namespace ingot;
namespace log = base::log;

int report(const std::vector<Error>& errors) {
  for (const auto& error : errors) std::fprintf(stderr, "ingotd: %s\n", proto::render(error).c_str());
  return proto::info(errors.front().kind).exit_code;
}

// --fsck: what was found and done, a line each.
int check_state(const std::string& state_dir, app::FsckDepth depth) {
  const auto tell = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  auto result = app::fsck(std::filesystem::absolute(state_dir).lexically_normal(), depth, tell);
  if (!result) return report({result.error()});
  if (result->mended + result->left == 0)
    std::printf("%s: clean\n", state_dir.c_str());
  else
    std::printf("%s: %llu mended, %llu left\n", state_dir.c_str(), static_cast<unsigned long long>(result->mended),
                static_cast<unsigned long long>(result->left));
  return result->exit_code();
}

// The signals that this program answers, blocked in every thread and taken by wait_for_signal alone.
sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

// The next signal, or none when `interval` has passed.
std::optional<int> wait_for_signal(const std::optional<std::chrono::microseconds>& interval) {
  const sigset_t set = handled_signals();
  timespec patience{};
  if (interval) {
    patience.tv_sec = interval->count() / 1'000'000;
    patience.tv_nsec = interval->count() % 1'000'000 * 1000;
  }
  while (true) {
    const int number = interval ? sigtimedwait(&set, nullptr, &patience) : sigwaitinfo(&set, nullptr);
    if (number > 0) return number;
    if (errno == EAGAIN) return std::nullopt;
  }
}

void serve(app::Daemon& daemon, const app::ConfigSources& sources) {
  const auto interval = app::watchdog_interval();
  while (true) {
    const auto number = wait_for_signal(interval);
    if (!number) {
      if (daemon.healthy()) app::notify_systemd("WATCHDOG=1");
    } else if (*number == SIGHUP) {
      app::notify_systemd("RELOADING=1");
      if (auto config = app::load_config(sources)) {
        daemon.reload(*config);
      } else {
        for (const auto& error : config.error())
          log::error("reload refused, nothing changed: {}", proto::render(error));
      }
      app::notify_systemd("READY=1");
    } else {
      log::info("stopping");
      app::notify_systemd("STOPPING=1");
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto parsed = app::parse_command_line(argc, argv);
  if (parsed.exit_code) {
    std::fputs(parsed.text.c_str(), *parsed.exit_code == 0 ? stdout : stderr);
    return *parsed.exit_code;
  }
  const auto& sources = parsed.command_line.sources;
  auto config = app::load_config(sources);
  if (!config) return report(config.error());
  if (parsed.command_line.check_config) {
    std::printf("%s: ok\n", sources.file.c_str());
    return 0;
  }
  log::set_up(config->log_level);
  if (parsed.command_line.fsck) return check_state(config->state_dir, *parsed.command_line.fsck);

  // A pool of memory for each of some dozen threads would hold what was freed long ago.
  mallopt(M_ARENA_MAX, 2);
  // Before any thread: they all inherit the blocked signals and the namespace.
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = handled_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  if (geteuid() != 0) {
    return report({Error{ErrorKind::denied,
                         "ingotd must run as root: it mounts file systems and starts containers",
                         "start it by systemd, or with sudo",
                         {},
                         {}}});
  }
  // It holds the secrets of its jobs.
  sys::refuse_core_dumps();
  if (auto entered = sys::enter_private_mount_namespace(); !entered) return report({entered.error()});

  auto daemon = app::Daemon::create(*config, app::inherited_socket());
  if (!daemon) return report({daemon.error()});
  (*daemon)->start();
  log::info("ingotd {} serves {}", proto::kVersion, config->socket_path);
  app::notify_systemd("READY=1");
  serve(**daemon, sources);
  (*daemon)->stop();
  log::info("stopped");
  return 0;
}
