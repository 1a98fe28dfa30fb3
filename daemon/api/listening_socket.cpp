#include "daemon/api/listening_socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/base/log.h"

namespace ingot::api {

namespace {

using base::fail;
using base::fail_errno;

Result<sockaddr_un> address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    return fail(ErrorKind::invalid, "the socket path " + path.string() + " is too long",
                "the kernel takes at most 107 bytes: choose a shorter one with --socket");
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

bool answers(const sockaddr_un& address) {
  sys::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

void give_to_group(const ServerSettings& settings) {
  if (settings.group.empty()) return;
  const group* found = getgrnam(settings.group.c_str());
  if (found == nullptr) {
    base::log::warning("there is no group \"{}\": only root can use {} (cure: groupadd --system {})", settings.group,
                       settings.socket_path.string(), settings.group);
  } else if (chown(settings.socket_path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
    base::log::warning("cannot give {} to group {}: {}", settings.socket_path.string(), settings.group,
                       std::strerror(errno));
  }
}

}  // namespace

Result<sys::UniqueFd> open_listening_socket(const ServerSettings& settings) {
  const fs::path& path = settings.socket_path;
  INGOT_TRY(auto address, address_of(path));
  INGOT_CHECK(sys::make_directories(path.parent_path(), 0755));
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return fail(ErrorKind::conflict, path.string() + " is there and is no socket",
                  "remove it, or choose another path with --socket");
    }
    if (answers(address)) {
      return fail(ErrorKind::conflict, "another daemon serves " + path.string(),
                  "stop it, or choose another path with --socket");
    }
    if (unlink(path.c_str()) != 0) return fail_errno(errno, "cannot replace the stale socket " + path.string());
  }
  sys::UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return fail_errno(errno, "cannot make a socket");
  // Never wider than its mode, not even for a moment.
  const mode_t before = umask(static_cast<mode_t>(~settings.mode & 0777U));
  const int bound = bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  umask(before);
  if (bound != 0) return fail_errno(reason, "cannot listen at " + path.string());
  give_to_group(settings);
  if (listen(listener.get(), SOMAXCONN) != 0) return fail_errno(errno, "cannot listen at " + path.string());
  return listener;
}

}  // namespace ingot::api
