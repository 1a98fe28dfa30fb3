#include "daemon/git/ssh.h"

#include <fcntl.h>

#include <algorithm>

#include "daemon/sys/files.h"

namespace ingot::git {

namespace fs = std::filesystem;

Status Ssh::prepare() {
  if (agent_) return {};
  std::error_code error;
  INGOT_TRY(auto directory, sys::TempDir::create(fs::temp_directory_path(error), "ingot-ssh-"));
  INGOT_TRY(agent_, sys::SocketServer::open(directory.path() / "agent", [user = user_](int connection, auto& stop) {
              // ssh says itself that it was not let in.
              (void)user->serve_agent(connection, stop);
            }));
  directory_ = std::move(directory);
  return {};
}

Result<SshFiles> Ssh::files_for(const Location& location, const sys::CancelToken& cancel) {
  const std::string host = known_hosts_name(location.fetched);
  std::lock_guard lock(mutex_);
  INGOT_CHECK(prepare());
  auto& file = known_hosts_[host];
  if (file.empty()) {
    INGOT_TRY(const auto lines, user_->known_hosts(host, cancel));
    const fs::path path = directory_->path() / ("known-hosts-" + std::to_string(known_hosts_.size()));
    INGOT_TRY(const auto written, sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    INGOT_CHECK(sys::write_all(written.get(), lines));
    file = path;
  }
  return SshFiles{directory_->path() / "agent", file};
}

std::string known_hosts_name(const std::string& url) {
  const std::size_t mark = url.find("://");
  const bool is_short = mark == std::string::npos;  // git@host:path
  const std::size_t begin = is_short ? 0 : mark + 3;
  std::string host = url.substr(begin, url.find(is_short ? ':' : '/', begin) - begin);
  if (const std::size_t sign = host.rfind('@'); sign != std::string::npos) host.erase(0, sign + 1);
  const bool has_brackets = host.starts_with('[');
  const std::size_t colon = host.find(':', has_brackets ? host.find(']') : 0);
  const std::string port = colon == std::string::npos ? "" : host.substr(colon + 1);
  host.resize(std::min(colon, host.size()));
  if (has_brackets && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return port.empty() || port == "22" ? host : "[" + host + "]:" + port;
}

std::string ssh_command(const SshFiles& files) {
  std::string command = "ssh -F none";
  // Nobody can be asked; who does not answer is given up.
  for (const char* option : {"BatchMode=yes", "ConnectTimeout=60", "ServerAliveInterval=30", "ServerAliveCountMax=4"}) {
    command += std::string(" -o ") + option;
  }
  // Keys of the daemon's own user are nobody's here, and the agent is for the host that was named alone.
  for (const char* option : {"IdentityFile=none", "ForwardAgent=no", "ClearAllForwardings=yes",
                             "PreferredAuthentications=publickey", "ControlMaster=no", "PermitLocalCommand=no"}) {
    command += std::string(" -o ") + option;
  }
  for (const char* option :
       {"StrictHostKeyChecking=yes", "UpdateHostKeys=no", "VerifyHostKeyDNS=no", "CheckHostIP=no"}) {
    command += std::string(" -o ") + option;
  }
  // For the shell that git runs it by, and then for ssh, which divides the value at blanks.
  return command + " -o 'UserKnownHostsFile=\"" + files.known_hosts.string() + "\"'";
}

}  // namespace ingot::git
