#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::test {

struct RunResult {
  int code = 0;
  std::string out;
  std::string err;
};

// A real ingotd with a state directory, a socket and images of its own, and the real client to talk to it. What it
// leaves behind when it goes is a failure of the test: see leftovers().
class TestDaemon {
 public:
  // With a state directory elsewhere if one is named.
  explicit TestDaemon(std::vector<std::string> more_flags = {}, std::filesystem::path state = {});
  ~TestDaemon();

  void start();  // waits until it answers
  void stop();   // SIGTERM, waits for its end
  void kill();   // SIGKILL, waits for its end
  void send_signal(int number);
  pid_t pid() const { return pid_; }

  std::filesystem::path state() const { return state_; }
  std::filesystem::path socket() const { return directory_ / "s"; }
  std::filesystem::path project() const { return directory_ / "project"; }
  std::string log() const { return slurp(directory_ / "log"); }

  // Writes a file of the project directory.
  void project_file(const std::string& name, const std::string& text) { directory_.file("project/" + name, text); }
  // `ingot ARGUMENTS` in the project directory.
  RunResult ingot(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {});
  RunResult curl(std::vector<std::string> arguments);
  // Where `ingot` finds it.
  std::map<std::string, std::string> environment() const;
  // Containers, mounts, cgroups, nftables and pending directories of this daemon that are still there.
  std::string leftovers();
  // The files that hold its jobs' secrets, one a line.
  std::string secrets_on_host() const;

 private:
  TempDirectory directory_;
  std::filesystem::path state_;
  std::vector<std::string> flags_;
  pid_t pid_ = 0;
};

RunResult run_program(std::vector<std::string> argv, const std::string& directory = {},
                      const std::map<std::string, std::string>& environment = {},
                      std::chrono::seconds within = std::chrono::seconds(120));
std::filesystem::path binary(const std::string& name);

}  // namespace ingot::test
