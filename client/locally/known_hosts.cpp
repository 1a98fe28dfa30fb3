#include "client/locally/known_hosts.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

bool is_host(const std::string& text) {
  return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-._:[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

}  // namespace

Result<std::string> known_hosts_of(const std::string& host, const std::vector<fs::path>& files,
                                   sys::ProcessRunner& processes, const sys::CancelToken& cancel) {
  if (!is_host(host)) return base::fail(ErrorKind::invalid, "\"" + base::printable(host) + "\" is no host");
  std::string lines;
  for (const auto& file : files) {
    sys::Command command;
    command.argv = {"ssh-keygen", "-F", host, "-f", file.string()};
    command.timeout = std::chrono::seconds(20);
    INGOT_TRY(const auto found, sys::capture(processes, command, cancel));
    if (!found.status.ok()) continue;  // as it ends for a host that is not there
    for (const auto& line : base::split(found.out, '\n')) {
      if (!line.empty() && line.front() != '#') lines += line + "\n";
    }
  }
  return lines;
}

std::vector<fs::path> known_hosts_files() {
  std::vector<fs::path> files;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    files.push_back(fs::path(home) / ".ssh/known_hosts");
    files.push_back(fs::path(home) / ".ssh/known_hosts2");
  }
  files.emplace_back("/etc/ssh/ssh_known_hosts");
  std::erase_if(files, [](const fs::path& file) {
    std::error_code error;
    return !fs::is_regular_file(file, error);
  });
  return files;
}

}  // namespace ingot::client
