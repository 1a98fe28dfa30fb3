#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp.h"

// Real programs of OpenSSH, as processes of the test's own. They throw where one is not installed.
namespace ingot::test {

// A process that is ended with this.
class OwnProcess {
 public:
  explicit OwnProcess(std::vector<std::string> argv, const std::filesystem::path& log);
  ~OwnProcess() { end(); }
  OwnProcess(const OwnProcess&) = delete;
  OwnProcess& operator=(const OwnProcess&) = delete;
  void end();
  bool runs();

 private:
  pid_t pid_ = 0;
};

// ssh-agent with one key, of which only the public half lies in a file.
class SshAgent {
 public:
  SshAgent();
  std::filesystem::path socket() const { return directory_ / "agent"; }
  std::string public_key() const { return slurp(directory_ / "key.pub"); }
  std::string keys() const;  // as it lists them
  void end() { process_.end(); }

 private:
  TempDirectory directory_;
  OwnProcess process_;
};

// sshd on a port of the loopback, by which this user gets in with one key.
class SshServer {
 public:
  explicit SshServer(const std::string& public_key);
  int port() const { return port_; }
  std::string user() const;
  std::string known_hosts() const;  // the line that names it
  // Where git fetches what lies at an absolute path.
  std::string url(const std::string& path) const;
  std::string log() const { return slurp(directory_ / "log"); }

 private:
  std::filesystem::path configuration(const std::string& public_key) const;

  TempDirectory directory_;
  const int port_;
  OwnProcess process_;
};

}  // namespace ingot::test
