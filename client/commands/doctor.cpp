#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"
#include "proto/version.h"

namespace ingot::client {

namespace {

using proto::HostCheck;

// What can be told of the socket without anybody answering there.
HostCheck check_socket(const std::string& path, const Result<proto::VersionInfo>& version) {
  HostCheck check{"socket", true, true, path, ""};
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    check.ok = false;
    check.detail = fmt::format("{}: {}", path, std::strerror(errno));
    if (!version) check.cure = version.error().hint;
  } else if (!S_ISSOCK(status.st_mode)) {
    check.ok = false;
    check.detail = path + " is no socket";
    check.cure = "--socket or INGOT_SOCKET may name another file";
  } else if (access(path.c_str(), W_OK) != 0) {
    check.ok = false;
    check.detail = path + " is not yours to use";
    if (!version) check.cure = version.error().hint;
  }
  return check;
}

HostCheck check_daemon(const Result<proto::VersionInfo>& version, bool socket_ok) {
  HostCheck check{"daemon", version.has_value(), true, "", ""};
  if (version) {
    check.detail = fmt::format("ingotd {} answers", version->version);
  } else {
    check.detail = version.error().message;
    if (socket_ok) check.cure = version.error().hint;
  }
  return check;
}

HostCheck check_version(const proto::VersionInfo& theirs) {
  HostCheck check{"version", theirs.version == proto::kVersion, false, "", ""};
  check.detail = check.ok ? "client and daemon are the same"
                          : fmt::format("the client is {}, the daemon {}", proto::kVersion, theirs.version);
  if (!check.ok) check.cure = "install both from the same package";
  return check;
}

void print_check(const HostCheck& check, const Style& style) {
  const std::string mark = check.ok ? style.green("ok  ") : check.required ? style.red("FAIL") : style.yellow("warn");
  std::printf("%s %-14s %s\n", mark.c_str(), visible(check.name).c_str(), visible(check.detail).c_str());
  if (!check.ok && !check.cure.empty()) std::printf("%20s-> %s\n", "", visible(check.cure).c_str());
}

}  // namespace

Result<int> run_doctor(const Invocation& invocation) {
  INGOT_TRY(auto style, output_style(invocation));
  Daemon daemon = open_daemon(invocation);
  const auto version = daemon.version();
  std::vector<HostCheck> checks = {check_socket(daemon.socket_path(), version)};
  checks.push_back(check_daemon(version, checks.front().ok));
  if (version) {
    checks.push_back(check_version(*version));
    INGOT_TRY(auto theirs, daemon.doctor());
    checks.insert(checks.end(), theirs.begin(), theirs.end());
  }
  const bool able = std::all_of(checks.begin(), checks.end(), [](const auto& row) { return row.ok || !row.required; });
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (const auto& check : checks) list.push_back(proto::to_json(check));
    print_json({{"able", able}, {"checks", list}});
  } else {
    for (const auto& check : checks) {
      if (!is_quiet(invocation) || !check.ok) print_check(check, style);
    }
    if (!version) std::printf("The host itself is examined by the daemon; nothing more can be told without it.\n");
  }
  if (able) return 0;
  return proto::info(version ? ErrorKind::unsupported : version.error().kind).exit_code;
}

}  // namespace ingot::client
