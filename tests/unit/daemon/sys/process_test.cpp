#include "daemon/sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <thread>

#include "daemon/sys/files.h"
#include "daemon/sys/find_program.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::TempDirectory;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Bounded in time and in the size of files, should its output go elsewhere than into the pipes.
Command shell(std::string script) {
  script = "ulimit -f 1000; " + std::move(script);
  return {.argv = {"sh", "-c", std::move(script)}, .environment = {}, .directory = {}, .timeout = 20s, .grace = {}};
}

Captured run(const Command& command, const CancelToken& cancel = {}) {
  auto captured = capture(system_processes(), command, cancel);
  if (!captured) throw std::runtime_error(captured.error().message);
  return *captured;
}

Error refused(const Command& command) {
  auto captured = capture(system_processes(), command);
  if (captured) throw std::runtime_error("it did start");
  return captured.error();
}

std::ptrdiff_t open_descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), {});
}

bool no_child_left() {
  return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

// A zombie that its new parent has not yet reaped is as dead as one that is gone.
bool is_dead(pid_t pid) {
  auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  return !stat || stat->find(") Z ") != std::string::npos || stat->find(") X ") != std::string::npos;
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 400; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

TEST(Process, CapturesBothStreamsAndTheStatus) {
  const auto captured = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(captured.out, "out\n");
  EXPECT_EQ(captured.err, "err\n");
  EXPECT_EQ(captured.status.code, 3);
  EXPECT_EQ(captured.status.signal, 0);
  EXPECT_FALSE(captured.status.ok());
  EXPECT_TRUE(run(shell("true")).status.ok());
  EXPECT_TRUE(no_child_left());
}

TEST(Process, ASignalIsSaidAsShellsSayIt) {
  const auto status = run(shell("kill -9 $$")).status;
  EXPECT_EQ(status.code, 137);
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_FALSE(status.timed_out);
  EXPECT_FALSE(status.canceled);
}

TEST(Process, ArgumentsArriveAsTheyAre) {
  Command command = shell("for a in \"$@\"; do printf '[%s]' \"$a\"; done");
  for (const char* argument : {"name", "", "two words", "$HOME `x` \"'", "новый\nline"}) {
    command.argv.emplace_back(argument);
  }
  EXPECT_EQ(run(command).out, "[][two words][$HOME `x` \"'][новый\nline]");
}

TEST(Process, EnvironmentIsTheOneThatIsGiven) {
  Command command = shell("");
  command.argv = {"env"};
  command.environment = {"A=1", "B=two words"};
  EXPECT_EQ(run(command).out, "A=1\nB=two words\n");
  command.environment = std::vector<std::string>{};
  EXPECT_EQ(run(command).out, "");
  setenv("INGOT_TEST_INHERITED", "yes", 1);
  command.environment.reset();
  EXPECT_NE(run(command).out.find("INGOT_TEST_INHERITED=yes\n"), std::string::npos);
  unsetenv("INGOT_TEST_INHERITED");
}

TEST(Process, RunsInItsDirectory) {
  const TempDirectory directory;
  Command command = shell("pwd");
  command.directory = directory.path().string();
  EXPECT_EQ(run(command).out, fs::canonical(directory.path()).string() + "\n");
}

TEST(Process, StandardInputIsEmpty) {
  EXPECT_EQ(run(shell("cat; readlink /proc/self/fd/0")).out, "/dev/null\n");
}

TEST(Process, ChildrenSeeDescriptorsZeroToTwoOnly) {
  const UniqueFd low(dup(STDERR_FILENO));  // without close-on-exec, as a careless library leaves them
  const UniqueFd high(fcntl(STDERR_FILENO, F_DUPFD, 200));
  const auto out = run(shell("n=0; while [ $n -lt 300 ]; do [ -h /proc/self/fd/$n ] && echo $n; n=$((n+1)); done")).out;
  EXPECT_EQ(out, "0\n1\n2\n");
}

TEST(Process, SignalsAreAsFromABoot) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  sigset_t some;
  sigset_t mask;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigaddset(&some, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &some, &mask);
  const auto out = run(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status")).out;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &mask, &after);
  sigaction(SIGPIPE, &before, nullptr);
  EXPECT_EQ(out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_EQ(sigismember(&after, SIGTERM), 1) << "the caller's own mask must stay";
  EXPECT_EQ(sigismember(&after, SIGHUP), 0);
}

TEST(Process, LeadsASessionOfItsOwn) {
  const auto out =
      run(shell("read pid comm state parent group session rest < /proc/self/stat; echo $$ $group $session")).out;
  const auto pid = out.substr(0, out.find(' '));
  EXPECT_EQ(out, pid + " " + pid + " " + pid + "\n");
}

TEST(Process, AMissingProgramIsAnErrorWithACure) {
  auto error = refused({.argv = {"no-such-tool"}, .environment = {}, .directory = {}, .timeout = {}, .grace = {}});
  EXPECT_EQ(error.kind, ErrorKind::unsupported);
  EXPECT_EQ(error.message, "the program \"no-such-tool\" is not installed");
  error = refused({.argv = {"/no/such"}, .environment = {}, .directory = {}, .timeout = {}, .grace = {}});
  EXPECT_EQ(error.kind, ErrorKind::unsupported);
  EXPECT_EQ(error.message, "cannot start \"/no/such\": No such file or directory");
  EXPECT_EQ(error.hint, "check that /no/such is there");
  EXPECT_TRUE(no_child_left());
}

TEST(Process, WhatExecRefusesIsSaid) {
  const TempDirectory directory;
  const auto start = [&](const std::string& name, const std::string& text, unsigned mode) {
    const std::string path = directory.file(name, text).string();
    chmod(path.c_str(), mode);
    return refused({.argv = {path}, .environment = {}, .directory = {}, .timeout = {}, .grace = {}});
  };
  const std::string at = directory.path().string();
  auto error = start("plain", "text", 0644);
  EXPECT_EQ(error.message, "cannot start \"" + at + "/plain\": Permission denied");
  EXPECT_EQ(error.hint, "make " + at + "/plain executable, and check that its file system is not mounted noexec");
  error = start("lost", "#!/no/such/interpreter\n", 0755);
  EXPECT_EQ(error.message, "cannot start \"" + at + "/lost\": No such file or directory");
  EXPECT_EQ(error.hint, "the interpreter that the first line of " + at + "/lost names, or its loader, is missing");
  error = start("odd", "neither a script nor a program", 0755);
  EXPECT_EQ(error.message, "cannot start \"" + at + "/odd\": Exec format error");
  Command huge = shell(std::string(8 << 20, 'x'));
  EXPECT_EQ(refused(huge).kind, ErrorKind::too_large);
  EXPECT_TRUE(no_child_left());
}

TEST(Process, AMissingDirectoryIsNotBlamedOnTheProgram) {
  Command command = shell("true");
  command.directory = "/no/such";
  EXPECT_EQ(refused(command).message, "cannot start \"sh\" in directory /no/such: No such file or directory");
  command.directory = "/dev/null";
  EXPECT_EQ(refused(command).message, "cannot start \"sh\" in directory /dev/null: Not a directory");
}

// The child of a failed exec must not run exit(), which would write out our buffers again.
TEST(Process, AFailedStartFlushesNothingTwice) {
  const TempDirectory directory;
  FILE* file = fopen((directory / "file").c_str(), "we");
  ASSERT_NE(file, nullptr);
  fputs("once", file);
  refused({.argv = {"/no/such"}, .environment = {}, .directory = {}, .timeout = {}, .grace = {}});
  fclose(file);
  EXPECT_EQ(test::slurp(directory / "file"), "once");
}

TEST(Process, StreamsAHundredMegabytes) {
  std::size_t out = 0;
  std::size_t err = 0;
  auto status = system_processes().run(
      shell("head -c 50000000 /dev/zero & head -c 50000000 /dev/zero >&2; wait; printf end"),
      [&](Stream stream, std::string_view bytes) { (stream == Stream::out ? out : err) += bytes.size(); }, {});
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->ok());
  EXPECT_EQ(out, 50'000'003U);
  EXPECT_EQ(err, 50'000'000U);
}

TEST(Process, LastOutputIsNotLost) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(run(shell("head -c 60000 /dev/zero; printf end")).out.size(), 60'003U);
  }
}

// More than one read() takes: a program may make its pipe larger, and end while we look elsewhere.
TEST(Process, LastOutputIsNotLostWhenItIsLong) {
  if (!find_program("perl")) GTEST_SKIP() << "this host has no perl";
  std::size_t got = 0;
  auto status = system_processes().run(
      shell("exec perl -e '$| = 1; fcntl(STDOUT, 1031, 1048576); syswrite(STDOUT, \"x\" x 500000)'"),
      [&](Stream, std::string_view bytes) {
        if (got == 0) std::this_thread::sleep_for(50ms);
        got += bytes.size();
      },
      {});
  ASSERT_TRUE(status);
  EXPECT_EQ(got, 500'000U);
}

TEST(Process, CaptureKeepsTheFirstMebibyteOfEach) {
  const auto captured = run(shell("printf start; head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"));
  EXPECT_EQ(captured.out.size(), 1U << 20);
  EXPECT_EQ(captured.err.size(), 1U << 20);
  EXPECT_TRUE(captured.out.starts_with("start"));
  EXPECT_TRUE(captured.status.ok());
}

TEST(Process, AGrandchildThatKeepsThePipeIsNotAwaited) {
  const auto started = Clock::now();
  const auto captured = run(shell("sleep 30 & echo $!; exit 0"));
  EXPECT_LT(Clock::now() - started, 5s);
  EXPECT_TRUE(captured.status.ok());
  const pid_t left = std::stoi(captured.out);
  EXPECT_FALSE(is_dead(left)) << "nobody asked to end it";
  kill(left, SIGKILL);
}

// The slow reader never finds the pipe empty.
TEST(Process, AGrandchildThatWritesOnAndOnIsNotAwaited) {
  const auto started = Clock::now();
  std::string err;
  auto status = system_processes().run(shell("cat /dev/zero & echo $! >&2; sleep 0.05"),
                                       [&](Stream stream, std::string_view bytes) {
                                         if (stream == Stream::err) err += bytes;
                                         std::this_thread::sleep_for(2ms);
                                       },
                                       {});
  EXPECT_TRUE(status);
  EXPECT_LT(Clock::now() - started, 5s);
  kill(std::stoi(err), SIGKILL);
}

TEST(Process, EndsAtItsTimeLimit) {
  Command command = shell("sleep 30");
  command.timeout = 30ms;
  auto status = run(command).status;
  EXPECT_TRUE(status.timed_out);
  EXPECT_FALSE(status.canceled);
  EXPECT_EQ(status.signal, SIGKILL);
  command.grace = 5s;
  const auto started = Clock::now();
  status = run(command).status;
  EXPECT_TRUE(status.timed_out);
  EXPECT_EQ(status.code, 143);
  EXPECT_LT(Clock::now() - started, 3s);
}

TEST(Process, GraceLetsItCleanUp) {
  Command command = shell("trap 'echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.01; done 2>/dev/null");
  command.grace = 5s;
  CancelSource source;
  std::string out;
  auto status = system_processes().run(
      command,
      [&](Stream stream, std::string_view bytes) {
        if (stream == Stream::out) out += bytes;  // the shell may say on stderr what ended its sleep
        source.cancel();
      },
      source.token());
  ASSERT_TRUE(status);
  EXPECT_EQ(out, "ready\ncleaned\n");
  EXPECT_EQ(status->code, 7);
  EXPECT_TRUE(status->canceled);
  EXPECT_FALSE(status->ok());
}

TEST(Process, CancelEndsWhatIgnoresSigtermAndItsChildren) {
  Command command = shell("trap '' TERM; sleep 30 & echo $!; sleep 30");
  command.grace = 50ms;
  CancelSource source;
  std::string out;
  const auto started = Clock::now();
  auto status = system_processes().run(
      command,
      [&](Stream, std::string_view bytes) {
        out += bytes;
        source.cancel();
      },
      source.token());
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->canceled);
  EXPECT_EQ(status->signal, SIGKILL);
  EXPECT_GE(Clock::now() - started, 50ms);
  EXPECT_LT(Clock::now() - started, 5s);
  const pid_t child = std::stoi(out);
  EXPECT_TRUE(soon([&] { return is_dead(child); }));
}

TEST(Process, CancelFromAnotherThreadEndsTheChildrenOfOneThatObeys) {
  Command command = shell("sh -c 'trap \"\" TERM; echo $$; exec sleep 30' & wait");
  command.grace = 5s;
  CancelSource source;
  std::atomic<bool> ready{false};
  std::thread other([&] {
    while (!ready) std::this_thread::sleep_for(1ms);
    source.cancel();
  });
  std::string out;
  auto status = system_processes().run(
      command,
      [&](Stream, std::string_view bytes) {
        out += bytes;
        ready = true;
      },
      source.token());
  ready = true;
  other.join();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->canceled);
  EXPECT_EQ(status->signal, SIGTERM);
  EXPECT_TRUE(no_child_left());
  const pid_t child = std::stoi(out);
  EXPECT_TRUE(soon([&] { return is_dead(child); }));
}

TEST(Process, NothingIsStartedOnceCanceled) {
  const TempDirectory directory;
  CancelSource source;
  source.cancel();
  Command command = shell("touch started");
  command.directory = directory.path().string();
  const auto status = run(command, source.token()).status;
  EXPECT_TRUE(status.canceled);
  EXPECT_EQ(status.code, 143);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(Process, ASinkThatThrowsLeavesNoProcess) {
  EXPECT_THROW((void)system_processes().run(shell("echo x; sleep 30"),
                                            [](Stream, std::string_view) { throw std::logic_error("a bug"); }, {}),
               std::logic_error);
  EXPECT_TRUE(no_child_left());
}

// Every descriptor that a launch needs may be the one that is not to be had.
TEST(Process, RunningOutOfDescriptorsIsAnErrorAndLeavesNothing) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan itself needs a descriptor to look at an exception";
#endif

  const UniqueFd probe(open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  int failed = 0;
  const auto before = open_descriptors();
  for (int spare = 0; spare < 20; ++spare) {
    const rlimit few{static_cast<rlim_t>(probe.get() + 1 + spare), files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    CancelSource source;
    auto captured = capture(system_processes(), shell("echo x"), source.token());
    setrlimit(RLIMIT_NOFILE, &files);
    if (captured) {
      EXPECT_EQ(captured->out, "x\n");
    } else {
      ++failed;
      EXPECT_EQ(captured.error().kind, ErrorKind::unavailable) << captured.error().message;
    }
    EXPECT_TRUE(no_child_left());
  }
  EXPECT_GT(failed, 3);
  EXPECT_LT(failed, 20);
  EXPECT_EQ(open_descriptors(), before) << "descriptors leaked";
}

TEST(Process, DiesWithTheDaemon) {
  const TempDirectory directory;
  const auto file = directory / "pid";
  const pid_t daemon = fork();
  if (daemon == 0) {
    (void)system_processes().run(shell("echo $$ > " + file.string() + "; exec sleep 30"), {}, {});
    _exit(0);
  }
  ASSERT_TRUE(soon([&] { return test::slurp(file).ends_with('\n'); }));
  const pid_t child = std::stoi(test::slurp(file));
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
  EXPECT_TRUE(soon([&] { return is_dead(child); }));
}

}  // namespace
}  // namespace ingot::sys
