#include "tests/support/test_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "daemon/base/digest.h"
#include "daemon/sys/process.h"
#include "tests/support/tiny_image.h"

namespace ingot::test {

namespace fs = std::filesystem;

fs::path binary(const std::string& name) {
  const char* directory = std::getenv("INGOT_BIN");
  if (directory == nullptr)
    throw std::runtime_error("INGOT_BIN names the directory of ingot and ingotd; it is not set");
  return fs::path(directory) / name;
}

RunResult run_program(std::vector<std::string> argv, const std::string& directory,
                      const std::map<std::string, std::string>& environment, std::chrono::seconds within) {
  sys::Command command;
  command.argv = std::move(argv);
  command.directory = directory;
  command.timeout = within;
  if (!environment.empty()) {
    command.environment.emplace();
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      if (!environment.contains(text.substr(0, text.find('=')))) command.environment->push_back(text);
    }
    for (const auto& [name, value] : environment) command.environment->push_back(name + "=" + value);
  }
  auto captured = sys::capture(sys::system_processes(), command);
  if (!captured) throw std::runtime_error(proto::render(captured.error()));
  return {captured->status.code, captured->out, captured->err};
}

TestDaemon::TestDaemon(std::vector<std::string> more_flags, fs::path state)
    : state_(state.empty() ? directory_ / "state" : std::move(state)), flags_(std::move(more_flags)) {
  fs::create_directories(project());
  write_tiny_image(directory_ / "image", {"386", "s390x"});
  start();
}

TestDaemon::~TestDaemon() {
  if (pid_ != 0) stop();
}

void TestDaemon::start() {
  std::vector<std::string> argv = {
      binary("ingotd"),
      "--state-dir",
      state(),
      "--socket",
      socket(),
      "--socket-group",
      "",
      "--jobs-drain",
      "0s",
      "--images",
      "[{match: \"*\", source: oci-layout, path: " + (directory_ / "image").string() + "}]"};
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  const std::string log_file = directory_ / "log";
  pid_ = fork();
  if (pid_ == 0) {
    const int fd = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    std::vector<char*> raw;
    for (auto& argument : argv) raw.push_back(argument.data());
    raw.push_back(nullptr);
    execv(raw[0], raw.data());
    _exit(127);
  }
  for (int i = 0; i < 600; ++i) {
    // Answered once the sandbox is prepared: what a test looks for afterwards is not of the start.
    if (curl({"http://ingot/v1/doctor"}).code == 0) return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      throw std::runtime_error("ingotd ended at once:\n" + log());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("ingotd does not answer:\n" + log());
}

void TestDaemon::send_signal(int number) {
  if (pid_ == 0) return;  // it would go to all that the test is
  ::kill(pid_, number);
}

void TestDaemon::stop() {
  send_signal(SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void TestDaemon::kill() {
  send_signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

RunResult TestDaemon::ingot(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment) {
  arguments.insert(arguments.begin(), binary("ingot"));
  std::map<std::string, std::string> variables = environment;
  variables.merge(this->environment());
  return run_program(std::move(arguments), project(), variables);
}

std::map<std::string, std::string> TestDaemon::environment() const {
  return {{"INGOT_SOCKET", socket().string()},
          {"XDG_CACHE_HOME", (directory_ / "cache").string()},
          {"SSH_AUTH_SOCK", ""}};  // whoever runs the tests may have an agent
}

RunResult TestDaemon::curl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "60", "--unix-socket", socket().string()});
  return run_program(std::move(arguments));
}

std::string TestDaemon::secrets_on_host() const {
  std::string found;
  std::error_code ignored;
  const std::string instance = base::Digest::of(state().string()).hex().substr(0, 8);
  for (const char* place : {"/run/ingot/secrets", "/dev/shm/ingot-secrets"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(place) / instance, ignored))
      found += entry.path().string() + "\n";
  }
  return found;
}

std::string TestDaemon::leftovers() {
  // Answered only once the daemon's own preparations, which use the same directories, are over.
  if (pid_ != 0) curl({"http://ingot/v1/doctor"});
  std::string found = secrets_on_host();
  const std::string instance = base::Digest::of(state().string()).hex().substr(0, 8);
  std::error_code ignored;
  // The run directory is a mount that only the daemon sees.
  const fs::path seen = pid_ == 0 ? fs::path("/") : fs::path("/proc") / std::to_string(pid_) / "root";
  for (const auto& entry : fs::directory_iterator(seen / (state() / "run").relative_path(), ignored)) {
    found += entry.path().string() + "\n";
  }
  for (const auto& entry : fs::directory_iterator(state() / "snapshots/pending", ignored))
    found += entry.path().string() + "\n";
  for (const auto& entry : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
    for (const auto& place : {entry.path() / ("ingot-" + instance), fs::path("/sys/fs/cgroup/ingot-" + instance)}) {
      for (const auto& step : fs::directory_iterator(place, ignored)) {
        if (step.is_directory(ignored)) found += step.path().string() + "\n";
      }
    }
  }
  const std::string mounts = slurp("/proc/self/mounts");
  if (mounts.find(directory_.path().string()) != std::string::npos)
    found += "a mount below " + directory_.path().string() + "\n";
  if (pid_ == 0 && run_program({"nft", "list", "tables"}).out.find(instance) != std::string::npos)
    found += "an nft table\n";
  return found;
}

}  // namespace ingot::test
