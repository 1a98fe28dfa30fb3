#include "tests/support/running_client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

namespace ingot::test {

using namespace std::chrono_literals;

bool holds_soon(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

RunningClient::RunningClient(const TestDaemon& daemon, std::vector<std::string> arguments,
                             const std::map<std::string, std::string>& environment)
    : log_(directory_ / "log") {
  arguments.insert(arguments.begin(), binary("ingot").string());
  auto variables = environment;
  variables.merge(daemon.environment());
  const std::string project = daemon.project().string();
  pid_ = fork();
  if (pid_ != 0) return;
  const int log = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  std::vector<char*> argv;
  for (auto& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  if (chdir(project.c_str()) == 0) execv(argv[0], argv.data());
  _exit(127);
}

RunningClient::~RunningClient() {
  if (pid_ == 0) return;
  send(SIGKILL);
  wait();
}

void RunningClient::send(int number) const {
  kill(pid_, number);
}

int RunningClient::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, 0), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace ingot::test
