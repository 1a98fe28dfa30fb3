#include "daemon/jobs/secret_vault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/base/log.h"
#include "daemon/sys/in_memory.h"
#include "proto/codec.h"

namespace ingot::jobs {

using base::fail;
using base::fail_errno;

namespace {

constexpr const char* kUnfinished = ".new";

// Others may have made it first, where everybody can make directories.
Status check_owner(const fs::path& directory) {
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0) return fail_errno(errno, "cannot look at " + directory.string());
  if (S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 0077U) == 0) return {};
  return fail(ErrorKind::denied, directory.string() + " is not the daemon's alone, and no place for secrets",
              "remove it, or set secrets.directory in the daemon's configuration");
}

}  // namespace

fs::path SecretVault::place_for(const std::string& wanted, const std::string& instance) {
  if (wanted != "auto") return fs::path(wanted) / instance;
  for (const char* place : {"/run/ingot/secrets", "/dev/shm/ingot-secrets"}) {
    if (sys::is_in_memory(place)) return fs::path(place) / instance;
  }
  return fs::path("/run/ingot/secrets") / instance;
}

Status SecretVault::prepare() const {
  if (!sys::is_in_memory(directory_)) {
    return fail(ErrorKind::unsupported, "this host cannot keep secrets: " + directory_.string() + " is not in memory",
                "set secrets.directory in the daemon's configuration to a directory on a tmpfs");
  }
  // What the shared directory stands in may be others' too: /run/ingot has the socket.
  INGOT_CHECK(sys::make_directories(directory_.parent_path().parent_path(), 0755));
  for (const auto& directory : {directory_.parent_path(), directory_}) {
    INGOT_CHECK(sys::make_directories(directory, 0700));
    INGOT_CHECK(check_owner(directory));
  }
  return {};
}

Status SecretVault::write(const std::string& job, const std::string& text) const {
  const fs::path unfinished = directory_ / (job + kUnfinished);
  unlink(unfinished.c_str());
  INGOT_TRY(auto fd, sys::open_file(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  INGOT_CHECK(sys::write_all(fd.get(), text));
  if (rename(unfinished.c_str(), (directory_ / job).c_str()) == 0) return {};
  return fail_errno(errno, "cannot rename " + unfinished.string());
}

Status SecretVault::put(const std::string& job, const proto::Secrets& secrets) {
  std::lock_guard lock(mutex_);
  const std::string text = proto::dump(proto::secrets_to_json(secrets));
  constexpr int kTries = 3;  // another daemon may remove the parent that we share between two of our calls
  Status written;
  for (int i = 0; i < kTries; ++i) {
    written = prepare();
    if (written) written = write(job, text);
    if (written || written.error().kind != ErrorKind::not_found) break;
  }
  if (!written) unlink((directory_ / (job + kUnfinished)).c_str());
  return written;
}

Result<proto::Secrets> SecretVault::get(const std::string& job) const {
  std::lock_guard lock(mutex_);
  INGOT_TRY(auto text, sys::read_file(directory_ / job));
  INGOT_TRY(auto body, proto::parse_json(text));
  return proto::secrets_of_submission({{"secrets", std::move(body)}});
}

void SecretVault::remove(const std::string& job) {
  std::lock_guard lock(mutex_);
  for (const auto& path : {directory_ / job, directory_ / (job + kUnfinished)}) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      base::log::error("{}", fail_errno(errno, "cannot remove " + path.string()).value().message);
    }
  }
  remove_when_empty();
}

void SecretVault::keep_only(const std::function<bool(const std::string& job)>& is_alive) {
  std::lock_guard lock(mutex_);
  std::error_code none;
  std::vector<fs::path> ended;
  for (fs::directory_iterator each(directory_, none), end; !none && each != end; each.increment(none)) {
    if (!is_alive(each->path().filename())) ended.push_back(each->path());
  }
  for (const auto& path : ended) unlink(path.c_str());
  remove_when_empty();
}

void SecretVault::remove_when_empty() const {
  // Also the one that the daemons of this host share, when nobody else has secrets there.
  if (rmdir(directory_.c_str()) == 0) rmdir(directory_.parent_path().c_str());
}

}  // namespace ingot::jobs
