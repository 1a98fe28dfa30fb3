#include "daemon/api/receive.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ingot::api {

namespace {

void take(const cmsghdr& attached, PassedIn& passed) {
  if (attached.cmsg_level != SOL_SOCKET || attached.cmsg_type != SCM_RIGHTS) return;
  const std::size_t count = (attached.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(&attached) + i * sizeof fd, sizeof fd);
    sys::UniqueFd file(fd);
    if (passed.files.size() < PassedIn::kMost) passed.files.push_back(std::move(file));
  }
}

}  // namespace

std::ptrdiff_t receive(int socket, void* to, std::size_t size, PassedIn& passed) {
  iovec room{to, size};
  // The kernel closes what finds no room here.
  alignas(cmsghdr) char control[CMSG_SPACE(PassedIn::kMost * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return got;
  for (auto* attached = CMSG_FIRSTHDR(&message); attached != nullptr; attached = CMSG_NXTHDR(&message, attached)) {
    take(*attached, passed);
  }
  return got;
}

}  // namespace ingot::api
