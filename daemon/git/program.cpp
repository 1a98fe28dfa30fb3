#include "daemon/git/program.h"

#include <cstdlib>
#include <utility>

namespace ingot::git {

namespace {

using base::fail;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMostOutput = 64U << 20;
constexpr std::size_t kMostComplaints = 16U << 10;
constexpr std::size_t kLongestLine = 1000;

// Leaves the run, which ends the program.
struct GivenUp {};

// "https://host:1" of a URL.
std::string origin_of(const std::string& url) {
  const std::size_t mark = url.find("://");
  return url.substr(0, url.find('/', mark + 3));
}

Pairs settings_of(const Program::Setting& setting) {
  Pairs pairs = {{"core.hooksPath", "/dev/null"},
                 {"core.fsmonitor", "false"},
                 {"core.symlinks", "true"},
                 {"core.autocrlf", "false"},
                 {"core.logAllRefUpdates", "false"},
                 {"gc.auto", "0"},
                 {"maintenance.auto", "false"},
                 {"protocol.version", "2"},
                 {"transfer.fsckObjects", "true"},
                 {"fetch.recurseSubmodules", "false"},
                 {"submodule.recurse", "false"},
                 {"http.lowSpeedLimit", "1000"},
                 {"http.lowSpeedTime", "60"},
                 {"http.followRedirects", "initial"},
                 {"pack.threads", "1"},
                 {"advice.detachedHead", "false"},
                 {"credential.helper", ""}};
  if (setting.location == nullptr) return pairs;
  if (!setting.location->ca_file.empty()) pairs.emplace_back("http.sslCAInfo", setting.location->ca_file);
  if (setting.credentials != nullptr) {
    pairs.emplace_back("credential." + origin_of(setting.location->fetched) + ".helper",
                       "!f() { test \"$1\" = get || return 0; printf 'username=%s\\npassword=%s\\n' "
                       "\"$INGOT_GIT_USERNAME\" \"$INGOT_GIT_PASSWORD\"; }; f");
  }
  return pairs;
}

std::vector<std::string> environment_of(const Program::Setting& setting) {
  std::vector<std::string> environment = {"LC_ALL=C",
                                          "HOME=/nonexistent",
                                          "GIT_CONFIG_NOSYSTEM=1",
                                          "GIT_CONFIG_GLOBAL=/dev/null",
                                          "GIT_ATTR_NOSYSTEM=1",
                                          "GIT_TERMINAL_PROMPT=0",
                                          "GIT_ASKPASS=",
                                          "SSH_ASKPASS=",
                                          "GIT_OPTIONAL_LOCKS=0",
                                          "GIT_NO_REPLACE_OBJECTS=1"};
  // How this host gets out is the same for git as for whatever else the daemon runs.
  for (const char* name : {"PATH", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                           "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  environment.push_back("GIT_ALLOW_PROTOCOL=" +
                        (setting.location == nullptr ? std::string("none") : protocol_of(*setting.location)));
  if (setting.ssh != nullptr) {
    environment.push_back("SSH_AUTH_SOCK=" + setting.ssh->agent.string());
    environment.push_back("GIT_SSH_COMMAND=" + ssh_command(*setting.ssh));
    environment.emplace_back("GIT_SSH_VARIANT=ssh");
  }
  if (!setting.repository.empty()) environment.push_back("GIT_DIR=" + setting.repository.string());
  if (setting.credentials != nullptr) {
    environment.push_back("INGOT_GIT_USERNAME=" + setting.credentials->username);
    environment.push_back("INGOT_GIT_PASSWORD=" + setting.credentials->password);
  }
  const Pairs pairs = settings_of(setting);
  environment.push_back("GIT_CONFIG_COUNT=" + std::to_string(pairs.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    environment.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + pairs[i].first);
    environment.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + pairs[i].second);
  }
  return environment;
}

}  // namespace

Result<Program::Said> Program::run(const Setting& setting, const std::vector<std::string>& arguments,
                                   const sys::CancelToken& cancel, const Watch& watch) const {
  sys::Command command;
  command.argv = {"git"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = environment_of(setting);
  command.directory = "/";
  command.timeout = setting.timeout;
  command.grace = std::chrono::seconds(1);
  Said said;
  std::string line;
  const auto sink = [&](sys::Stream stream, std::string_view bytes) {
    if (stream == sys::Stream::out) {
      if (said.out.size() + bytes.size() > kMostOutput) throw GivenUp();
      said.out += bytes;
      return;
    }
    said.err += bytes;
    if (said.err.size() > 2 * kMostComplaints) said.err.erase(0, said.err.size() - kMostComplaints);
    for (const char c : bytes) {
      if (c != '\n' && c != '\r') {
        if (line.size() < kLongestLine) line += c;
        continue;
      }
      if (watch && !watch(line)) throw GivenUp();
      line.clear();
    }
  };
  Result<sys::ExitStatus> status;
  try {
    status = processes_.run(command, sink, cancel);
  } catch (const GivenUp&) {
    return fail(ErrorKind::too_large, "the repository is larger than it may be");
  }
  if (!status && status.error().kind == ErrorKind::unsupported) {
    return fail(ErrorKind::unsupported, "this host has no program git", "install the package git on the daemon's host");
  }
  if (!status) return fail(status.error());
  said.status = *status;
  if (said.status.canceled) return fail(ErrorKind::canceled, "canceled");
  return said;
}

}  // namespace ingot::git
