#include "tests/support/ssh.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

namespace ingot::test {

namespace fs = std::filesystem;

namespace {

std::string run_or_throw(std::vector<std::string> argv, const std::map<std::string, std::string>& environment = {}) {
  const auto ran = run_program(argv, {}, environment);
  if (ran.code != 0) throw std::runtime_error(argv.front() + ": " + ran.out + ran.err);
  return ran.out;
}

bool listens(int port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(client);
  return connected;
}

template <typename Condition>
void await(OwnProcess& process, const std::string& what, const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return;
    if (!process.runs()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error(what + " does not come up");
}

}  // namespace

OwnProcess::OwnProcess(std::vector<std::string> argv, const fs::path& log) : pid_(fork()) {
  if (pid_ != 0) return;
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  std::vector<char*> raw;
  for (auto& one : argv) raw.push_back(one.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  _exit(127);
}

bool OwnProcess::runs() {
  if (pid_ == 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ != 0;
}

void OwnProcess::end() {
  const pid_t pid = std::exchange(pid_, 0);
  if (pid == 0) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

SshAgent::SshAgent() : process_({"ssh-agent", "-D", "-a", socket().string()}, directory_ / "log") {
  const std::string key = (directory_ / "key").string();
  run_or_throw({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a-key-of-the-test", "-f", key});
  // Its socket is there before it answers, which ssh-add says by a 1: there are no keys yet.
  await(process_, "ssh-agent", [&] {
    return run_program({"ssh-add", "-l"}, {}, {{"SSH_AUTH_SOCK", socket().string()}}).code == 1;
  });
  run_or_throw({"ssh-add", "-q", key}, {{"SSH_AUTH_SOCK", socket().string()}});
  fs::remove(key);
}

std::string SshAgent::keys() const {
  return run_program({"ssh-add", "-l"}, {}, {{"SSH_AUTH_SOCK", socket().string()}}).out;
}

SshServer::SshServer(const std::string& public_key)
    : port_(free_port()),
      process_({"/usr/sbin/sshd", "-D", "-e", "-f", configuration(public_key).string()}, directory_ / "log") {
  await(process_, "sshd (of the package openssh-server)", [&] { return listens(port_); });
}

fs::path SshServer::configuration(const std::string& public_key) const {
  fs::create_directories("/run/sshd");  // as its service does
  const std::string here = directory_.path().string();
  run_or_throw({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", here + "/host"});
  directory_.file("authorized", public_key);
  return directory_.file("config", "Port " + std::to_string(port_) + "\nListenAddress 127.0.0.1\nHostKey " + here +
                                       "/host\nAuthorizedKeysFile " + here +
                                       "/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                                       "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
                                       "PidFile none\nMaxStartups 100\n");
}

std::string SshServer::user() const {
  return getpwuid(geteuid())->pw_name;
}

std::string SshServer::known_hosts() const {
  return "[127.0.0.1]:" + std::to_string(port_) + " " + slurp(directory_ / "host.pub");
}

std::string SshServer::url(const std::string& path) const {
  return "ssh://" + user() + "@127.0.0.1:" + std::to_string(port_) + path;
}

}  // namespace ingot::test
