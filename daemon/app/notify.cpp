#include "daemon/app/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "daemon/sys/files.h"

namespace ingot::app {

namespace {

long number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

}  // namespace

void notify_systemd(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof address.sun_path) return;
  sys::UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  (void)sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length);
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const long allowed = number_in_environment("WATCHDOG_USEC");
  const long pid = number_in_environment("WATCHDOG_PID");
  if (allowed <= 0 || (pid != 0 && pid != getpid())) return std::nullopt;
  return std::chrono::microseconds(allowed / 2);
}

int inherited_socket() {
  constexpr int kFirst = 3;  // where systemd puts the first socket
  if (number_in_environment("LISTEN_PID") != getpid() || number_in_environment("LISTEN_FDS") < 1) return -1;
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(kFirst, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) return -1;
  fcntl(kFirst, F_SETFD, FD_CLOEXEC);
  return kFirst;
}

}  // namespace ingot::app
