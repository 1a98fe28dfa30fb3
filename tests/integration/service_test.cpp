#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"

// The daemon as a service: what systemd hands it and hears of it.
namespace ingot::test {
namespace {

using testing::HasSubstr;

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

class Service : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  }
};

TEST_F(Service, tells_systemd_when_it_is_ready_alive_and_stopping) {
  TempDirectory directory;
  const auto address = address_of(directory / "notify");
  sys::UniqueFd notify(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(notify.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  auto heard = [&] {
    pollfd wait{notify.get(), POLLIN, 0};
    char text[256] = {};
    if (poll(&wait, 1, 5000) == 1) (void)recv(notify.get(), text, sizeof text - 1, 0);
    return std::string(text);
  };
  setenv("NOTIFY_SOCKET", address.sun_path, 1);
  setenv("WATCHDOG_USEC", "200000", 1);
  {
    TestDaemon daemon;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    EXPECT_EQ(heard(), "READY=1");
    EXPECT_EQ(heard(), "WATCHDOG=1");
    EXPECT_EQ(heard(), "WATCHDOG=1");
    daemon.send_signal(SIGHUP);
    std::string text = heard();
    while (text == "WATCHDOG=1") text = heard();
    EXPECT_EQ(text, "RELOADING=1");
    EXPECT_EQ(heard(), "READY=1");
    daemon.stop();
    text = heard();
    while (text == "WATCHDOG=1") text = heard();
    EXPECT_EQ(text, "STOPPING=1");
  }
}

TEST_F(Service, a_reload_takes_over_retention_and_the_compression_of_images) {
  TempDirectory directory;
  const auto file = directory.file("ingotd.yaml", "retention:\n  jobs: 365d\n");
  TestDaemon daemon({"--config", file});
  daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM scratch\n    COPY Earthfile /\n    SAVE IMAGE x:1\n");
  const auto layer_of = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.emplace_back("+t");
    EXPECT_EQ(daemon.ingot(arguments).code, 0);
    const std::string job = daemon.ingot({"ps", "--all", "-q", "-n1"}).out;
    const std::string manifest = daemon.ingot({"get", job.substr(0, job.find('\n')), "-o", "-"}).out;
    return manifest.find("tar+zstd") != std::string::npos ? "zstd" : manifest;
  };
  EXPECT_THAT(layer_of({"--push"}), HasSubstr("gzip"));
  EXPECT_THAT(layer_of({}), Not(HasSubstr("tar+"))) << "what does not travel is not packed";
  EXPECT_EQ(layer_of({"--compression", "zstd"}), "zstd");
  directory.file("ingotd.yaml", "retention:\n  jobs: 1s\nimage_compression: zstd\n");
  daemon.send_signal(SIGHUP);
  for (int i = 0; i < 100 && !daemon.ingot({"ps", "--all", "-q"}).out.empty(); ++i) usleep(100'000);
  EXPECT_EQ(daemon.ingot({"ps", "--all", "-q"}).out, "") << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("reload: retention.jobs is now 1s"));
  directory.file("ingotd.yaml", "image_compression: zstd\n");
  daemon.send_signal(SIGHUP);
  for (int i = 0; i < 100 && daemon.log().find("retention.jobs is now 365d") == std::string::npos; ++i) usleep(50'000);
  EXPECT_EQ(layer_of({"--push"}), "zstd");
  EXPECT_THAT(layer_of({"--compression", "gzip"}), HasSubstr("gzip"));
}

TEST_F(Service, serves_the_socket_that_it_was_handed_and_leaves_it_there) {
  TempDirectory directory;
  const auto address = address_of(directory / "activated");
  sys::UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 16), 0);
  const std::string program = binary("ingotd");
  const std::string state = directory / "state";
  const std::string log = directory / "log";
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(open(log.c_str(), O_WRONLY | O_CREAT, 0644), STDERR_FILENO);
    // Both may be 3 already, and dup2 of equal descriptors leaves it close-on-exec.
    if (listener.get() != 3) dup2(listener.get(), 3);
    fcntl(3, F_SETFD, 0);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "1", 1);
    execl(program.c_str(), program.c_str(), "--state-dir", state.c_str(), "--socket", address.sun_path, nullptr);
    _exit(127);
  }
  // The connection waits in the socket until the daemon is there: nothing is refused meanwhile.
  auto answer =
      run_program({"curl", "-sS", "--max-time", "20", "--unix-socket", address.sun_path, "http://x/v1/version"});
  EXPECT_THAT(answer.out, HasSubstr("\"api\":1")) << slurp(log);
  ::kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
  EXPECT_TRUE(std::filesystem::exists(address.sun_path));
}

TEST_F(Service, its_socket_is_for_its_group_alone) {
  TestDaemon daemon({"--socket-group", "daemon"});
  struct stat status {};
  ASSERT_EQ(stat(daemon.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
  EXPECT_EQ(status.st_gid, 1U);
  TestDaemon unknown({"--socket-group", "no-such-group"});
  EXPECT_THAT(unknown.log(), HasSubstr("there is no group \"no-such-group\""));
}

TEST_F(Service, the_submitter_is_who_the_socket_says) {
  TestDaemon daemon({"--socket-mode", "0666"});
  std::filesystem::permissions(daemon.socket().parent_path(), static_cast<std::filesystem::perms>(0755));
  daemon.project_file("Earthfile", "VERSION 0.8\na:\n    FROM tiny\n");
  std::filesystem::permissions(daemon.project(), static_cast<std::filesystem::perms>(0755));
  auto submitted = run_program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                                "INGOT_SOCKET=" + daemon.socket().string(), "XDG_CACHE_HOME=/nonexistent",
                                binary("ingot"), "-C", daemon.project(), "submit", "+a"});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  EXPECT_THAT(daemon.ingot({"show", submitted.out.substr(0, submitted.out.size() - 1)}).out,
              HasSubstr("nobody (uid 65534)"));
}

}  // namespace
}  // namespace ingot::test
