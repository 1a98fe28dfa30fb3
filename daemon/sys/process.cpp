#include "daemon/sys/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/sys/process_launch.h"

namespace ingot::sys {

namespace {

using Clock = std::chrono::steady_clock;

// One running child, until it is reaped. The destructor ends it if watch() was left by an exception of the sink.
class Child {
 public:
  Child(Launched launched, const Command& command, const OutputSink& sink, const CancelToken& cancel)
      : child_(std::move(launched)), command_(command), sink_(sink), cancel_(cancel), buffer_(kBuffer, '\0') {
    if (command.timeout) deadline_ = Clock::now() + *command.timeout;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (child_.pid == 0) return;
    kill_group(SIGKILL);
    reap();
  }

  ExitStatus watch();

 private:
  static constexpr std::size_t kBuffer = 64 << 10;

  bool wait_and_forward();  // false once the program has ended
  void end_if_due();
  int wait_ms() const;
  std::size_t forward(UniqueFd& from, Stream stream);
  void drain(UniqueFd& from, Stream stream);
  void kill_group(int number) const { kill(-child_.pid, number); }
  int reap();

  Launched child_;
  const Command& command_;
  const OutputSink& sink_;
  const CancelToken& cancel_;
  std::string buffer_;
  std::optional<Clock::time_point> deadline_;  // of the time limit, then of the grace after SIGTERM
  bool asked_to_end_ = false;
  ExitStatus status_;
};

int Child::reap() {
  int status = 0;
  while (waitpid(child_.pid, &status, 0) < 0) {
    if (errno == EINTR) continue;
    status = W_EXITCODE(255, 0);  // somebody else reaped it: not known to have succeeded
    break;
  }
  child_.pid = 0;
  return status;
}

// Bytes that were passed on; the descriptor is closed at the end of its stream.
std::size_t Child::forward(UniqueFd& from, Stream stream) {
  const ssize_t got = read(from.get(), buffer_.data(), buffer_.size());
  if (got > 0) {
    if (sink_) sink_(stream, {buffer_.data(), static_cast<std::size_t>(got)});
    return static_cast<std::size_t>(got);
  }
  if (got == 0 || (errno != EINTR && errno != EAGAIN)) from.reset();
  return 0;
}

// All that an ended program wrote is in the pipe now. What a grandchild that kept it goes on writing is not awaited.
void Child::drain(UniqueFd& from, Stream stream) {
  int left = 0;
  if (!from || ioctl(from.get(), FIONREAD, &left) != 0) return;
  while (left > 0) {
    const std::size_t got = forward(from, stream);
    if (got == 0 && (!from || errno != EINTR)) return;
    left -= static_cast<int>(got);
  }
}

int Child::wait_ms() const {
  constexpr long long kLongest = 3'600'000;
  // Without a descriptor for the switch, it is looked at instead.
  const bool blind = !asked_to_end_ && cancel_.can_cancel() && cancel_.fd() < 0;
  constexpr long long kGlance = 50;
  if (!deadline_) return blind ? kGlance : -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, blind ? kGlance : kLongest));
}

bool Child::wait_and_forward() {
  std::array<pollfd, 4> fds = {{{child_.out.get(), POLLIN, 0},
                                {child_.err.get(), POLLIN, 0},
                                {child_.pidfd.get(), POLLIN, 0},
                                {asked_to_end_ ? -1 : cancel_.fd(), POLLIN, 0}}};
  if (poll(fds.data(), fds.size(), wait_ms()) <= 0) return true;
  if (fds[0].revents != 0) forward(child_.out, Stream::out);
  if (fds[1].revents != 0) forward(child_.err, Stream::err);
  return fds[2].revents == 0;
}

void Child::end_if_due() {
  const bool due = deadline_ && Clock::now() >= *deadline_;
  if (asked_to_end_) {
    if (!due) return;
    kill_group(SIGKILL);
    deadline_.reset();
    return;
  }
  if (!due && !cancel_.canceled()) return;
  asked_to_end_ = true;
  (due ? status_.timed_out : status_.canceled) = true;
  const bool gently = command_.grace.count() > 0;
  kill_group(gently ? SIGTERM : SIGKILL);
  deadline_.reset();
  if (gently) deadline_ = Clock::now() + command_.grace;
}

ExitStatus Child::watch() {
  while (wait_and_forward()) end_if_due();
  // Before it is reaped, for until then its id is nobody else's: what it left behind in its group.
  if (asked_to_end_) kill_group(SIGKILL);
  drain(child_.out, Stream::out);
  drain(child_.err, Stream::err);
  const int raw = reap();
  status_.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  status_.code = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  return status_;
}

class SystemProcesses : public ProcessRunner {
 public:
  Result<ExitStatus> run(const Command& command, const OutputSink& sink, const CancelToken& cancel) override {
    if (cancel.canceled()) {
      ExitStatus never_started;
      never_started.canceled = true;
      never_started.signal = SIGTERM;
      never_started.code = 128 + SIGTERM;
      return never_started;
    }
    INGOT_TRY(auto launched, launch(command));
    return Child(std::move(launched), command, sink, cancel).watch();
  }
};

}  // namespace

ProcessRunner& system_processes() {
  static SystemProcesses processes;
  return processes;
}

Result<Captured> capture(ProcessRunner& runner, const Command& command, const CancelToken& cancel) {
  constexpr std::size_t kLimit = 1 << 20;
  Captured captured;
  auto keep = [&](Stream stream, std::string_view bytes) {
    std::string& text = stream == Stream::out ? captured.out : captured.err;
    text.append(bytes.substr(0, kLimit - std::min(kLimit, text.size())));
  };
  INGOT_TRY(captured.status, runner.run(command, keep, cancel));
  return captured;
}

}  // namespace ingot::sys
