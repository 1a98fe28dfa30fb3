#include "daemon/app/scheduled_sweep.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"

namespace ingot::app {

namespace {

namespace fs = std::filesystem;
using base::fail;

constexpr auto kLongest = std::chrono::hours(1);  // a project may be large
constexpr std::size_t kLongestProblem = 4000;

// Of the same installation, where there is one.
std::string client_program() {
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / "ingot";
  return !error && fs::exists(beside, error) ? beside.string() : "ingot";
}

}  // namespace

Result<std::string> submit_scheduled(const schedule::Plan& plan, const std::string& key, const std::string& socket,
                                     sys::ProcessRunner& processes, const sys::CancelToken& cancel) {
  struct stat file {};
  if (stat(plan.file.c_str(), &file) != 0) return base::fail_errno(errno, "cannot read " + plan.file);
  sys::Command command;
  command.argv = {"setpriv",
                  "--reuid=" + std::to_string(file.st_uid),
                  "--regid=" + std::to_string(file.st_gid),
                  file.st_uid == 0 ? "--clear-groups" : "--init-groups",
                  "--reset-env",
                  "env",
                  "INGOT_SOCKET=" + socket,
                  client_program(),
                  "-C",
                  fs::path(plan.file).parent_path(),
                  "--json",
                  "sweep",
                  "run",
                  "--idempotency-key",
                  key,
                  plan.file};
  command.timeout = kLongest;
  command.directory = "/";
  INGOT_TRY(const auto ended, sys::capture(processes, command, cancel));
  if (ended.status.timed_out) return fail(ErrorKind::timed_out, "the sweep was not submitted within an hour");
  if (!ended.status.ok()) {
    const std::string told(base::trim(ended.err));
    return fail(ErrorKind::invalid, told.empty() ? "the client ended with " + std::to_string(ended.status.code)
                                                 : told.substr(0, kLongestProblem));
  }
  const auto answer = nlohmann::json::parse(ended.out, nullptr, false);
  if (!answer.is_object() || !answer.contains("id") || !answer["id"].is_string())
    return fail(ErrorKind::internal, "the client did not tell the sweep's id");
  return answer["id"].get<std::string>();
}

}  // namespace ingot::app
