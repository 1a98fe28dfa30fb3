#include "daemon/sys/process_launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>

#include "daemon/sys/files.h"
#include "daemon/sys/find_program.h"

namespace ingot::sys {

namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;
using base::fail;
using base::fail_errno;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INGOT_FORKS
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(INGOT_FORKS)
// ThreadSanitizer makes a fork() of every vfork(), which then must report a failed exec through a pipe.
using Launcher = process::posix::default_launcher;
#else
// Not fork(): Boost allocates in the child, and there a lock of the allocator that another thread held would stay
// locked for ever. A child of vfork() shares our memory, in which that thread goes on and lets go of it. It also does
// not copy the page tables of a large daemon.
using Launcher = process::posix::vfork_launcher;
#endif

// Makes the context's reactor in the parent, right after the fork: a child that shares our memory would spoil one that
// is there earlier, and Boost's own making it later loses the descriptor of the child when that fails.
class ReactorAfterFork : public asio::execution_context::service {
 public:
  using key_type = ReactorAfterFork;
  static asio::execution_context::id id;
  explicit ReactorAfterFork(asio::execution_context& context)
      : service(context), context_(static_cast<asio::io_context&>(context)) {}

 private:
  void shutdown() override {}
  void notify_fork(asio::execution_context::fork_event event) override {
    if (event != asio::execution_context::fork_parent) return;
    const int saved = errno;  // of a fork that failed
    const asio::posix::stream_descriptor has_the_reactor_made(context_);
    errno = saved;
  }
  asio::io_context& context_;
};
asio::execution_context::id ReactorAfterFork::id;

process::error_code last_error() {
  return {errno, boost::system::system_category()};
}

// What every child is: a session of its own (so that it can be killed as a group), with default signals, without our
// descriptors. Runs between fork and exec, where only async-signal-safe calls are allowed.
// Boost looks for these functions and quietly leaves out what it cannot call: those of a const object, say.
struct ChildSetUp {
  pid_t parent;
  std::array<int, 3> standard;  // what becomes 0, 1 and 2; all of them above 2
  const char* directory;        // null: stay

  template <typename AnyLauncher>
  process::error_code on_exec_setup(AnyLauncher& /*launcher*/, const process::filesystem::path& /*program*/,
                                    const char* const* /*argv*/) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // it died before the line above
    struct sigaction standard_action {};
    standard_action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) sigaction(number, &standard_action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 0; number < 3; ++number) {
      if (dup2(standard[static_cast<std::size_t>(number)], number) < 0) return last_error();
    }
    if (directory != nullptr && chdir(directory) != 0) return last_error();
    // Boost's fork() closes only what lies above its own pipe, which must stay open until exec to report its failure.
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    return {};
  }

  // Boost goes on to exit(), which would write out the daemon's buffered output a second time. It calls this with
  // four arguments, but only if it could be called with five.
  template <typename... Arguments>
  void on_exec_error(Arguments&&... /*arguments*/) {
    _exit(127);
  }
};

// A handler that ran in the child before exec would act on the daemon's own descriptors.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe");
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What a careless parent may have left to the daemon: with some of 0-2 closed, its own files would get those numbers
// and be lost in the child; with SIGCHLD ignored, the kernel would throw away how children end.
void mend_inheritance() {
  static const bool mended = [] {
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      if (fcntl(fd, F_GETFD) >= 0) continue;
      const int null = open("/dev/null", O_RDWR);  // NOLINT(android-cloexec-open): 0-2 are inherited by nature
      if (null > STDERR_FILENO) close(null);
    }
    struct sigaction action {};
    if (sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    return true;
  }();
  (void)mended;
}

tl::unexpected<Error> fail_launch(int reason, const Command& command, const std::string& program) {
  auto failed = fail_errno(reason, "cannot start \"" + command.argv.front() + "\"");
  Error& error = failed.value();
  error.kind = ErrorKind::unsupported;
  if (reason == ENOENT && access(program.c_str(), F_OK) == 0) {
    error.hint = "the interpreter that the first line of " + program + " names, or its loader, is missing";
  } else if (reason == ENOENT) {
    error.hint = "check that " + program + " is there";
  } else if (reason == EACCES) {
    error.hint = "make " + program + " executable, and check that its file system is not mounted noexec";
  } else if (reason == ENOEXEC) {
    error.hint = program + " is no program of this machine's architecture, or a script without a #! line";
  } else if (reason == E2BIG) {
    error.kind = ErrorKind::too_large;
    error.hint = "its arguments and environment are larger than the kernel takes";
  } else if (reason == EAGAIN || reason == ENOMEM || reason == EMFILE || reason == ENFILE) {
    error.kind = ErrorKind::unavailable;
    error.hint = "the daemon is at its limit of processes, memory or files; raise TasksMax or LimitNOFILE";
  }
  return failed;
}

// `chdir` in the child cannot say that it was not exec that failed.
Status check_directory(const Command& command) {
  if (command.directory.empty()) return {};
  const std::string what = "cannot start \"" + command.argv.front() + "\" in directory " + command.directory;
  const UniqueFd directory(open(command.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno(errno, what);
  if (access(command.directory.c_str(), X_OK) != 0) return fail_errno(errno, what);
  return {};
}

void reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// The pid of the child, or why there is none, in terms of errno.
tl::expected<pid_t, int> fork_and_exec(const Command& command, const std::string& program,
                                       const std::array<int, 3>& standard) {
  const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
  std::vector<const char*> environment;
  Launcher launcher;
  if (command.environment) {
    for (const auto& variable : *command.environment) environment.push_back(variable.c_str());
    environment.push_back(nullptr);
    launcher.env = environment.data();
  }
  ChildSetUp set_up{getpid(), standard, command.directory.empty() ? nullptr : command.directory.c_str()};
  process::error_code error;
  try {
    // A context of this launch alone: fork() copies the locks of its reactor, and one that other threads run may be
    // locked at that moment, which leaves the child hanging before exec.
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
    asio::make_service<ReactorAfterFork>(context);
    const SignalsBlocked blocked;
    auto child = launcher(context.get_executor(), error, program, arguments, set_up);
    if (!error) {
      child.detach();  // its destructor would look for the pid again when that may long be somebody else's
      return launcher.pid;
    }
  } catch (const boost::system::system_error& thrown) {  // no descriptor left to watch a child that does run
    error = thrown.code();
    // Boost does not look whether it got the descriptor before it uses it.
    if (error.value() == EBADF) error.assign(EMFILE, boost::system::system_category());
    if (launcher.pid > 0) kill(launcher.pid, SIGKILL);
  }
  if (launcher.pid > 0) reap(launcher.pid);  // Boost leaves a child that failed to exec to its caller
  return tl::unexpected<int>(error.value());
}

}  // namespace

Result<Launched> launch(const Command& command) {
  if (command.argv.empty()) return fail(ErrorKind::internal, "a command without a program was to be started");
  mend_inheritance();
  INGOT_TRY(auto program, find_program(command.argv.front()));
  INGOT_CHECK(check_directory(command));
  INGOT_TRY(auto out, make_pipe());
  INGOT_TRY(auto err, make_pipe());
  INGOT_TRY(auto null, open_file("/dev/null", O_RDONLY));
  auto pid = fork_and_exec(command, program, {null.get(), out.write.get(), err.write.get()});
  if (!pid) return fail_launch(pid.error(), command, program);
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  if (!pidfd) {
    const int reason = errno;
    kill(*pid, SIGKILL);
    reap(*pid);
    return fail_launch(reason, command, program);
  }
  return Launched{*pid, std::move(pidfd), std::move(out.read), std::move(err.read)};
}

}  // namespace ingot::sys
