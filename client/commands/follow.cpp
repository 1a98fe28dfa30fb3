#include "client/commands/follow.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

namespace ingot::client {

namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kLongestPause{2000};

// Where the signal handler writes; the only thing that it may do safely.
int interrupt_pipe = -1;

void on_interrupt(int /*number*/) {
  const int before = errno;
  const char byte = 'i';
  [[maybe_unused]] ssize_t written = write(interrupt_pipe, &byte, 1);
  errno = before;
}

}  // namespace

Result<proto::Job> follow_job(Daemon& daemon, const std::string& id, std::uint64_t from, EventView& view,
                              const std::function<bool()>& go_on) {
  std::uint64_t next = from;
  auto last_heard = std::chrono::steady_clock::now();
  auto pause = kFirstPause;
  bool told = false;
  bool stopped = false;
  while (true) {
    Status read = daemon.events(id, next, true, [&](const proto::Event& event) {
      next = event.seq + 1;
      view.event(event);
      last_heard = std::chrono::steady_clock::now();
      pause = kFirstPause;
      told = false;
      stopped = go_on && !go_on();
      return !stopped;
    });
    if (stopped) return base::fail(ErrorKind::canceled, "nobody reads the log of job " + id + " any more");
    if (!read && read.error().kind != ErrorKind::unavailable) return base::fail(read.error());
    auto job = daemon.job(id);
    // Without an error the log was read to its end; with one, some of it may still be to come.
    if (job && read && proto::is_final(job->state)) return job;
    if (!job && job.error().kind != ErrorKind::unavailable) return job;
    if (job && !proto::is_final(job->state)) last_heard = std::chrono::steady_clock::now();
    if (std::chrono::steady_clock::now() - last_heard > kPatience) {
      return base::fail(base::with_context(read ? job.error() : read.error(),
                                           "the job goes on without us: `ingot logs -f " + id + "`"));
    }
    if (!told) view.message("the connection to the daemon is lost; trying again");
    told = true;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

struct CancelOnInterrupt::State {
  Daemon daemon;
  std::string job;
  EventView& view;
  std::array<int, 2> pipe{-1, -1};
  struct sigaction before {};
  std::thread thread;

  State(const Daemon& where, std::string id, EventView& shown)
      : daemon(where.socket_path()), job(std::move(id)), view(shown) {}

  void loop() {
    int presses = 0;
    char byte = 0;
    while (read(pipe[0], &byte, 1) == 1 && byte == 'i') {
      if (++presses == 1) {
        view.message("canceling job " + job + " (Ctrl-C again leaves it)");
        if (auto canceled = daemon.cancel(job); !canceled) view.message(canceled.error().message);
        continue;
      }
      view.pause();
      std::fprintf(stderr, "ingot: left job %s; `ingot logs -f %s` comes back, `ingot wait %s` waits\n", job.c_str(),
                   job.c_str(), job.c_str());
      _exit(proto::info(ErrorKind::canceled).exit_code);
    }
  }
};

CancelOnInterrupt::CancelOnInterrupt(const Daemon& daemon, std::string job, EventView& view)
    : state_(std::make_unique<State>(daemon, std::move(job), view)) {
  if (pipe2(state_->pipe.data(), O_CLOEXEC) != 0) return;
  interrupt_pipe = state_->pipe[1];
  state_->thread = std::thread([state = state_.get()] { state->loop(); });
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &state_->before);
}

CancelOnInterrupt::~CancelOnInterrupt() {
  if (!state_->thread.joinable()) return;
  sigaction(SIGINT, &state_->before, nullptr);
  const char stop = 's';
  [[maybe_unused]] ssize_t written = write(state_->pipe[1], &stop, 1);
  state_->thread.join();
  for (int fd : state_->pipe) close(fd);
}

}  // namespace ingot::client
