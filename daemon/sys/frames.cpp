#include "daemon/sys/frames.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ingot::sys {

namespace {

constexpr std::size_t kHead = 9;  // kind, number and length of the payload, lowest byte first

void put(char* to, std::uint32_t value) {
  for (int byte = 0; byte < 4; ++byte) to[byte] = static_cast<char>(value >> (8 * byte));
}

std::uint32_t get(const char* from) {
  std::uint32_t value = 0;
  for (int byte = 0; byte < 4; ++byte) value |= std::uint32_t{static_cast<unsigned char>(from[byte])} << (8 * byte);
  return value;
}

Status wait_for(int socket, short what) {
  constexpr int kGlanceMs = 100;
  pollfd waited{socket, what, 0};
  if (poll(&waited, 1, kGlanceMs) < 0 && errno != EINTR) return base::fail_errno(errno, "cannot wait for a socket");
  return {};
}

Status send_all(int socket, std::string_view bytes, const std::function<bool()>& gives_up) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (gives_up && gives_up()) return base::fail(ErrorKind::canceled, "given up");
      INGOT_CHECK(wait_for(socket, POLLOUT));
    } else if (errno != EINTR) {
      return base::fail(ErrorKind::unavailable, "the other end is gone");
    }
  }
  return {};
}

// So many bytes; 0 when the other end closed before the first.
Result<std::size_t> receive_all(int socket, char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t part = recv(socket, to + got, size - got, 0);
    if (part > 0) {
      got += static_cast<std::size_t>(part);
    } else if (part == 0 || errno == ECONNRESET) {
      if (got == 0) return 0;
      return base::fail(ErrorKind::unavailable, "the other end closed in the midst of a message");
    } else if (errno == EAGAIN) {
      INGOT_CHECK(wait_for(socket, POLLIN));
    } else if (errno != EINTR) {
      return base::fail_errno(errno, "cannot read from a socket");
    }
  }
  return got;
}

}  // namespace

Status send_frame(int socket, std::uint8_t kind, std::uint32_t number, std::string_view payload,
                  const std::function<bool()>& gives_up) {
  if (payload.size() > kLargestFrame) return base::fail(ErrorKind::too_large, "the message is too large");
  std::string head(kHead, '\0');
  head[0] = static_cast<char>(kind);
  put(head.data() + 1, number);
  put(head.data() + 5, static_cast<std::uint32_t>(payload.size()));
  // What is begun is sent whole: half a frame would spoil those after it.
  INGOT_CHECK(send_all(socket, head, gives_up));
  return send_all(socket, payload, gives_up);
}

Result<std::optional<Frame>> receive_frame(int socket, std::size_t largest) {
  std::array<char, kHead> head{};
  INGOT_TRY(const auto got, receive_all(socket, head.data(), head.size()));
  if (got == 0) return std::optional<Frame>();
  Frame frame;
  frame.kind = static_cast<std::uint8_t>(head[0]);
  frame.number = get(head.data() + 1);
  const std::size_t size = get(head.data() + 5);
  if (size > largest) return base::fail(ErrorKind::invalid, "a message is longer than messages are");
  constexpr std::size_t kPiece = 256U << 10;
  while (frame.payload.size() < size) {
    const std::size_t had = frame.payload.size();
    const std::size_t piece = std::min(kPiece, size - had);
    frame.payload.resize(had + piece);
    INGOT_TRY(const auto read, receive_all(socket, frame.payload.data() + had, piece));
    if (read < piece) return base::fail(ErrorKind::unavailable, "the other end closed in the midst of a message");
  }
  return std::optional(std::move(frame));
}

}  // namespace ingot::sys
