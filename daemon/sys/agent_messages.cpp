#include "daemon/sys/agent_messages.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace ingot::sys {

namespace {

using base::fail;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLength = 4;

std::size_t content_size(std::string_view head) {
  std::size_t size = 0;
  for (const char byte : head.substr(0, kLength)) size = size << 8 | static_cast<unsigned char>(byte);
  return size;
}

Status wait_for_agent(int socket, short what, const CancelToken& cancel) {
  constexpr int kGlanceMs = 200;
  std::array<pollfd, 2> waited{{{socket, what, 0}, {cancel.fd(), POLLIN, 0}}};
  if (poll(waited.data(), waited.size(), kGlanceMs) < 0 && errno != EINTR) {
    return base::fail_errno(errno, "cannot wait for a socket");
  }
  return cancel.canceled() ? Status(fail(ErrorKind::canceled, "canceled")) : Status();
}

// False when the other end closed before all came.
Result<bool> receive_bytes(int socket, char* to, std::size_t size, const CancelToken& cancel, Clock::time_point until) {
  while (size > 0) {
    const ssize_t got = recv(socket, to, size, MSG_DONTWAIT);
    if (got > 0) {
      to += got;
      size -= static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EAGAIN) {
      INGOT_CHECK(wait_for_agent(socket, POLLIN, cancel));
      if (Clock::now() > until) return fail(ErrorKind::timed_out, "the answer takes too long");
    } else if (got == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<std::optional<std::string>> receive_agent_message(int socket, const CancelToken& cancel,
                                                         std::chrono::milliseconds within) {
  const auto until = within.count() > 0 ? Clock::now() + within : Clock::time_point::max();
  std::string message(kLength, '\0');
  INGOT_TRY(const bool has_head, receive_bytes(socket, message.data(), kLength, cancel, until));
  if (!has_head) return std::optional<std::string>();
  const std::size_t size = content_size(message);
  if (size == 0 || size > kLargestAgentMessage) {
    return fail(ErrorKind::invalid, "what is said is no message of the SSH agent's protocol");
  }
  message.resize(kLength + size);
  INGOT_TRY(const bool is_whole, receive_bytes(socket, message.data() + kLength, size, cancel, until));
  return is_whole ? std::optional(std::move(message)) : std::nullopt;
}

Status send_agent_message(int socket, std::string_view message, const CancelToken& cancel) {
  while (!message.empty()) {
    const ssize_t sent = send(socket, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      message.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      INGOT_CHECK(wait_for_agent(socket, POLLOUT, cancel));
    } else if (errno != EINTR) {
      return fail(ErrorKind::unavailable, "the other end is gone");
    }
  }
  return {};
}

bool is_agent_message(std::string_view message) {
  return message.size() > kLength && message.size() - kLength <= kLargestAgentMessage &&
         content_size(message) == message.size() - kLength;
}

std::string agent_message(std::string_view content) {
  std::string message(kLength, '\0');
  for (std::size_t byte = 0; byte < kLength; ++byte) {
    message[byte] = static_cast<char>(content.size() >> (8 * (kLength - 1 - byte)));
  }
  return message.append(content);
}

}  // namespace ingot::sys
