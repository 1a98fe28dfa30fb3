#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/git/rules.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/socket_server.h"
#include "daemon/sys/temp_dir.h"

// Repositories that are fetched by ssh: with the keys of who builds, which stay with him.
namespace ingot::git {

// The user on whose behalf is fetched. Thread-safe.
class SshUser {
 public:
  virtual ~SshUser() = default;
  // Lets who is at the other end of the connection speak to the user's SSH agent, until one of them has enough.
  virtual Status serve_agent(int connection, const sys::CancelToken& cancel) = 0;
  // The lines of known_hosts that the user has for a host, "name" or "[name]:port".
  virtual Result<std::string> known_hosts(const std::string& host, const sys::CancelToken& cancel) = 0;
};

// What a run of ssh is given.
struct SshFiles {
  std::filesystem::path agent;        // a socket
  std::filesystem::path known_hosts;  // besides the host's own /etc/ssh/ssh_known_hosts
};

// The files of one job, made when they are first needed. Thread-safe.
class Ssh {
 public:
  explicit Ssh(std::shared_ptr<SshUser> user) : user_(std::move(user)) {}
  Result<SshFiles> files_for(const Location& location, const sys::CancelToken& cancel);

 private:
  Status prepare();

  const std::shared_ptr<SshUser> user_;
  std::mutex mutex_;  // guards all below
  std::optional<sys::TempDir> directory_;
  std::unique_ptr<sys::SocketServer> agent_;
  std::map<std::string, std::filesystem::path> known_hosts_;  // by host
};

// How ssh names the host of a URL in known_hosts: "name", or "[name]:port".
std::string known_hosts_name(const std::string& url);
// GIT_SSH_COMMAND: one that reads nobody's configuration and keys, asks nobody, and goes to hosts that are known only.
std::string ssh_command(const SshFiles& files);

}  // namespace ingot::git
