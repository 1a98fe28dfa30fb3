#include "daemon/app/scheduled_sweep.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

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

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Whether others than the owner of the sweep and root could put something else in the place of what lies there.
Status check_place(const fs::path& place, uid_t owner) {
  struct stat found {};
  if (lstat(place.c_str(), &found) != 0) return base::fail_errno(errno, "cannot read " + place.string());
  if (found.st_uid != 0 && found.st_uid != owner) {
    return fail(ErrorKind::denied, place.string() + " belongs to somebody else than the sweep in it",
                "the owner of the sweep's file, as whom it is read, or root must own the directories above it");
  }
  const bool is_sticky = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
  const mode_t not_to_be = owner == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
  if ((found.st_mode & not_to_be) != 0 && !is_sticky) {
    return fail(ErrorKind::denied, place.string() + " can be written by others than the owner of the sweep",
                "take that away with chmod " + std::string(owner == 0 ? "go-w" : "o-w") +
                    ", or let the sweep's file belong to the user as whom it shall be read");
  }
  return {};
}

// Whose sweep it is.
Result<Owner> owner_of(const fs::path& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return base::fail_errno(errno, "cannot read " + path.string());
  if (!S_ISREG(file.st_mode)) return fail(ErrorKind::invalid, path.string() + " is no regular file");
  INGOT_CHECK(check_place(path, file.st_uid));
  std::error_code error;
  for (fs::path place = fs::canonical(path.parent_path(), error); place.has_relative_path();
       place = place.parent_path()) {
    INGOT_CHECK(check_place(place, file.st_uid));
  }
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16'384> memory{};
  if (getpwuid_r(file.st_uid, &entry, memory.data(), memory.size(), &found) != 0 || found == nullptr) {
    return fail(ErrorKind::denied,
                path.string() + " belongs to user " + std::to_string(file.st_uid) + ", who has no account",
                "give the file to a user who may use the socket");
  }
  return Owner{file.st_uid, entry.pw_gid};
}

// For digests of files, which the client remembers: the service sees nobody's home.
Result<fs::path> cache_of(const fs::path& caches, const Owner& owner) {
  const fs::path own = caches / std::to_string(owner.uid);
  INGOT_CHECK(sys::make_directories(caches, 0711));
  INGOT_CHECK(sys::make_directories(own, 0700));
  if (chown(own.c_str(), owner.uid, owner.gid) != 0) return base::fail_errno(errno, "cannot give away " + own.string());
  return own;
}

Error error_of(const sys::Captured& ended) {
  const std::string told(base::trim(ended.err));
  Error error;
  error.kind = ErrorKind::invalid;
  for (const auto kind : {ErrorKind::unavailable, ErrorKind::no_space, ErrorKind::timed_out}) {
    if (ended.status.code == proto::info(kind).exit_code) error.kind = kind;
  }
  error.message =
      told.empty() ? "the client ended with " + std::to_string(ended.status.code) : told.substr(0, kLongestProblem);
  constexpr std::string_view kBy = "ingot: ";
  if (error.message.starts_with(kBy)) error.message.erase(0, kBy.size());
  return error;
}

}  // namespace

Result<std::string> ScheduledSweeps::submit(const schedule::Plan& plan, const std::string& key,
                                            const sys::CancelToken& cancel) const {
  INGOT_TRY(const auto owner, owner_of(plan.file));
  INGOT_TRY(const auto known, find(owner.uid, key));
  if (!known.empty()) return known;
  INGOT_TRY(const auto cache, cache_of(caches, owner));
  sys::Command command;
  command.argv = {"setpriv",
                  "--reuid=" + std::to_string(owner.uid),
                  "--regid=" + std::to_string(owner.gid),
                  "--init-groups",
                  "--no-new-privs",
                  "--pdeathsig=KILL",
                  "--reset-env",
                  "env",
                  "INGOT_SOCKET=" + socket.string(),
                  "XDG_CACHE_HOME=" + cache.string(),
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
  if (ended.status.canceled || cancel.canceled()) return fail(ErrorKind::canceled, "the daemon ends");
  if (ended.status.timed_out) return fail(ErrorKind::timed_out, "the sweep was not submitted within an hour");
  if (!ended.status.ok()) return fail(error_of(ended));
  const auto answer = nlohmann::json::parse(ended.out, nullptr, false);
  if (!answer.is_object() || !answer.contains("id") || !answer["id"].is_string())
    return fail(ErrorKind::internal, "the client did not tell the sweep's id");
  return answer["id"].get<std::string>();
}

}  // namespace ingot::app
