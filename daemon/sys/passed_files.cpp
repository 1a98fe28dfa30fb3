#include "daemon/sys/passed_files.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ingot::sys {

namespace {

constexpr std::size_t kRoom = 4;  // files in one message; the kernel closes what finds no room

struct Message {
  iovec bytes;
  alignas(cmsghdr) char control[CMSG_SPACE(kRoom * sizeof(int))] = {};
  msghdr header{};

  Message(void* data, std::size_t size, std::size_t files) : bytes{data, size} {
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(files * sizeof(int));
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
};

void take(const cmsghdr& attached, std::vector<UniqueFd>& files, std::size_t most) {
  if (attached.cmsg_level != SOL_SOCKET || attached.cmsg_type != SCM_RIGHTS) return;
  const std::size_t count = (attached.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(&attached) + i * sizeof fd, sizeof fd);
    UniqueFd file(fd);
    if (files.size() < most) files.push_back(std::move(file));
  }
}

}  // namespace

ssize_t send_with_file(int socket, std::string_view bytes, int file) {
  Message message(const_cast<char*>(bytes.data()), bytes.size(), 1);
  cmsghdr* attached = CMSG_FIRSTHDR(&message.header);
  attached->cmsg_level = SOL_SOCKET;
  attached->cmsg_type = SCM_RIGHTS;
  attached->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(attached), &file, sizeof file);
  return sendmsg(socket, &message.header, MSG_NOSIGNAL);
}

ssize_t receive_with_files(int socket, void* to, std::size_t size, int flags, std::vector<UniqueFd>& files,
                           std::size_t most) {
  Message message(to, size, kRoom);
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message.header, flags | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return got;
  for (auto* attached = CMSG_FIRSTHDR(&message.header); attached != nullptr;
       attached = CMSG_NXTHDR(&message.header, attached)) {
    take(*attached, files, most);
  }
  return got;
}

}  // namespace ingot::sys
