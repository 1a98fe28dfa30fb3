#include "daemon/sys/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/default_launcher.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>

#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;
using base::fail;
using base::fail_errno;
using Clock = std::chrono::steady_clock;

// What every child of the daemon is: a session of its own (so that it can be killed as a group), with default signals,
// without our descriptors. close_range only marks them close-on-exec: Boost still needs its pipe to report a failed
// exec. The death signal is sent when the *thread* that launched it ends; every caller blocks in run() until then.
struct ChildSetUp {
  template <typename Launcher>
  process::error_code on_exec_setup(Launcher& /*launcher*/, const process::filesystem::path& /*program*/,
                                    const char* const* /*argv*/) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    return {};
  }
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<std::string> find_program(const Command& command) {
  const std::string& name = command.argv.front();
  if (name.find('/') != std::string::npos) return name;
  const char* path = getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  while (true) {
    std::size_t colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return fail(ErrorKind::unsupported, "the program \"" + name + "\" is not installed",
              "install the package that has it, or mend the daemon's PATH");
}

// One running child, from its launch to its reaped end.
class Child {
 public:
  static Result<Child> launch(const Command& command);
  Child(Child&& other) noexcept
      : pid_(other.pid_), pidfd_(std::move(other.pidfd_)), out_(std::move(other.out_)), err_(std::move(other.err_)) {
    other.pid_ = 0;
  }
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    kill_group(SIGKILL);
    reap();
  }

  ExitStatus watch(const Command& command, const OutputSink& sink, const CancelToken& cancel);

 private:
  Child(pid_t pid, UniqueFd pidfd, UniqueFd out, UniqueFd err)
      : pid_(pid), pidfd_(std::move(pidfd)), out_(std::move(out)), err_(std::move(err)) {}

  void kill_group(int number) const {
    kill(-pid_, number);
    kill(pid_, number);  // between fork and setsid it leads no group yet
  }
  int reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }
  // False at the end of the stream, or when nothing is there and the descriptor does not block.
  static bool forward(UniqueFd& from, Stream stream, const OutputSink& sink);

  pid_t pid_;
  UniqueFd pidfd_;
  UniqueFd out_;
  UniqueFd err_;
};

Result<Child> Child::launch(const Command& command) {
  INGOT_TRY(auto program, find_program(command));
  INGOT_TRY(auto out, make_pipe());
  INGOT_TRY(auto err, make_pipe());
  INGOT_TRY(auto null, open_file("/dev/null", O_RDONLY));
  for (int fd : {out.read.get(), err.read.get()}) fcntl(fd, F_SETFL, O_NONBLOCK);

  // A context of this launch alone: fork() copies the locks of its reactor, and one that other threads run may be
  // locked at that moment, which leaves the child hanging before exec.
  asio::io_context context;
  process::default_process_launcher launcher;
  process::error_code error;
  const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
  const process::process_stdio stdio{null.get(), out.write.get(), err.write.get()};
  const std::string directory = command.directory.empty() ? "." : command.directory;
  process::process child(context);
  if (command.environment) {
    child = launcher(context, error, program, arguments, stdio, process::process_environment(*command.environment),
                     process::process_start_dir(directory), ChildSetUp{});
  } else {
    child = launcher(context, error, program, arguments, stdio, process::process_start_dir(directory), ChildSetUp{});
  }
  if (error) {
    return fail(ErrorKind::unsupported, "cannot start \"" + command.argv.front() + "\": " + error.message(),
                "check that " + program + " is there and may be executed");
  }
  const pid_t pid = child.id();
  child.detach();  // reaped here, by pid
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int reason = errno;
    Child abandoned(pid, {}, {}, {});
    return fail_errno(reason, "cannot watch a child process");
  }
  return Child(pid, std::move(pidfd), std::move(out.read), std::move(err.read));
}

bool Child::forward(UniqueFd& from, Stream stream, const OutputSink& sink) {
  std::array<char, 64 << 10> buffer{};
  ssize_t got = read(from.get(), buffer.data(), buffer.size());
  if (got > 0) {
    if (sink) sink(stream, {buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return false;
  from.reset();
  return false;
}

ExitStatus Child::watch(const Command& command, const OutputSink& sink, const CancelToken& cancel) {
  ExitStatus status;
  std::optional<Clock::time_point> deadline;  // of the limit, then of the grace after SIGTERM
  if (command.timeout) deadline = Clock::now() + *command.timeout;
  bool asked_to_end = false;

  while (true) {
    std::array<pollfd, 4> fds = {{{out_.get(), POLLIN, 0},
                                  {err_.get(), POLLIN, 0},
                                  {pidfd_.get(), POLLIN, 0},
                                  {asked_to_end ? -1 : cancel.fd(), POLLIN, 0}}};
    int wait_ms = -1;
    if (deadline) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
      wait_ms = static_cast<int>(std::clamp<long long>(left, 0, 1'000'000));
    }
    if (poll(fds.data(), fds.size(), wait_ms) < 0 && errno != EINTR) break;
    if (fds[0].revents != 0) forward(out_, Stream::out, sink);
    if (fds[1].revents != 0) forward(err_, Stream::err, sink);
    if (fds[2].revents != 0) break;

    const bool due = deadline && Clock::now() >= *deadline;
    if (!asked_to_end && (due || fds[3].revents != 0)) {
      asked_to_end = true;
      (due ? status.timed_out : status.canceled) = true;
      kill_group(command.grace.count() > 0 ? SIGTERM : SIGKILL);
      deadline = Clock::now() + command.grace;
      if (command.grace.count() == 0) deadline.reset();
    } else if (asked_to_end && due) {
      kill_group(SIGKILL);
      deadline.reset();
    }
  }
  // It has ended: what is in the pipes is its last output, at most a pipe full. What a grandchild may go on writing is
  // not awaited.
  constexpr int kMostReads = 32;
  for (int i = 0; i < kMostReads && out_ && forward(out_, Stream::out, sink); ++i) {
  }
  for (int i = 0; i < kMostReads && err_ && forward(err_, Stream::err, sink); ++i) {
  }
  if (asked_to_end) kill(-pid_, SIGKILL);  // what the program left behind in its group, before its id is free again
  const int raw = reap();
  status.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  status.code = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  return status;
}

class SystemProcesses : public ProcessRunner {
 public:
  Result<ExitStatus> run(const Command& command, const OutputSink& sink, const CancelToken& cancel) override {
    INGOT_TRY(auto child, Child::launch(command));
    return child.watch(command, sink, cancel);
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
