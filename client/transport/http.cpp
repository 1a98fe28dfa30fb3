#include "client/transport/http.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using base::fail;
using base::fail_errno;

constexpr std::size_t kReadStep = 256 << 10;

tl::unexpected<Error> not_running(const std::string& path, int reason) {
  return fail(
      ErrorKind::unavailable, fmt::format("no daemon answers at {}: {}", path, std::strerror(reason)),
      "start it with `systemctl start ingotd`, or a private one with `ingotd --state-dir DIR --socket PATH` and "
      "point INGOT_SOCKET to it");
}

tl::unexpected<Error> not_allowed(const std::string& path) {
  struct stat status {};
  std::string name = "ingot";
  if (stat(path.c_str(), &status) == 0) {
    const group* owner = getgrgid(status.st_gid);
    name = owner != nullptr ? owner->gr_name : std::to_string(status.st_gid);
  }
  return fail(ErrorKind::denied,
              fmt::format("you may not use the socket {}: it is for members of group \"{}\"", path, name),
              fmt::format("`sudo usermod -aG {} $USER`, then log in again", name));
}

tl::unexpected<Error> broken(const std::string& why) {
  return fail(ErrorKind::unavailable, "the connection to the daemon broke: " + why,
              "it may have been restarted; try again");
}

}  // namespace

Result<HttpConnection> HttpConnection::open(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::invalid, "the socket path " + socket_path + " is too long",
                "the kernel takes at most 107 bytes");
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size());
  sys::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, "cannot make a socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EACCES || errno == EPERM) return not_allowed(socket_path);
    return not_running(socket_path, errno);
  }
  return HttpConnection(std::move(fd));
}

Result<HttpHead> HttpConnection::send(const HttpRequest& request) {
  const std::uint64_t size = request.file >= 0 ? request.file_size : request.body.size();
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: ingotd\r\nIngot-Api: 1\r\nContent-Length: {}\r\n",
                                 request.method, request.target, size);
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  text += "\r\n";
  if (request.file < 0) text += request.body;
  Status sent;
  for (std::string_view rest = text; !rest.empty() && sent;) {
    ssize_t written = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (written > 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      sent = broken(std::strerror(errno));
  }
  if (sent && request.file >= 0) sent = send_file(request.file, request.file_size);
  // A daemon that refuses early answers and closes before all was sent: its answer says more than the broken pipe.
  no_body_ = request.method == "HEAD";
  auto status_line = read_line();
  if (!status_line) return sent ? fail(status_line.error()) : fail(sent.error());
  head_ = HttpHead{};
  const auto words = base::split(*status_line, ' ');
  if (words.size() < 2 || !words[0].starts_with("HTTP/1.")) return broken("what answers there speaks no HTTP");
  head_.status = std::atoi(words[1].c_str());
  while (true) {
    INGOT_TRY(auto line, read_line());
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    head_.headers[name] = base::trim(std::string_view(line).substr(colon + 1));
  }
  if (head_.status == 100) return broken("an unexpected answer");
  no_body_ = no_body_ || head_.status == 304 || head_.status == 204;
  return head_;
}

Status HttpConnection::send_file(int file, std::uint64_t size) {
  off_t offset = 0;
  while (static_cast<std::uint64_t>(offset) < size) {
    ssize_t sent = sendfile(fd_.get(), file, &offset,
                            std::min<std::uint64_t>(size - static_cast<std::uint64_t>(offset), 1U << 30));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return broken(std::strerror(errno));
    if (sent == 0) return fail(ErrorKind::conflict, "a file became shorter while it was sent", "build again");
  }
  return {};
}

Status HttpConnection::fill() {
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kReadStep);
  ssize_t got = 0;
  do {
    got = recv(fd_.get(), buffer_.data() + had, kReadStep, 0);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) return {};
  return broken(got == 0 ? "it was closed" : std::strerror(errno));
}

Result<std::string> HttpConnection::read_line() {
  constexpr std::size_t kLongest = 64 << 10;
  while (true) {
    if (std::size_t end = buffer_.find("\r\n"); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return line;
    }
    if (buffer_.size() > kLongest) return broken("a line of its answer has no end");
    INGOT_CHECK(fill());
  }
}

Status HttpConnection::pass_bytes(std::uint64_t size, const Sink& sink) {
  while (size > 0) {
    if (buffer_.empty()) INGOT_CHECK(fill());
    const std::size_t part = std::min<std::uint64_t>(size, buffer_.size());
    if (!sink(std::string_view(buffer_).substr(0, part))) return fail(ErrorKind::canceled, "stopped");
    if (part == buffer_.size())
      buffer_.clear();
    else
      buffer_.erase(0, part);
    size -= part;
  }
  return {};
}

Status HttpConnection::pass_chunks(const Sink& sink) {
  while (true) {
    INGOT_TRY(auto line, read_line());
    const std::uint64_t size = std::strtoull(line.c_str(), nullptr, 16);
    INGOT_CHECK(pass_bytes(size, sink));
    INGOT_CHECK(read_line());
    if (size == 0) return {};
  }
}

Status HttpConnection::read_body(const Sink& sink) {
  if (no_body_) return {};
  if (head_.headers["transfer-encoding"] == "chunked") return pass_chunks(sink);
  return pass_bytes(std::strtoull(head_.headers["content-length"].c_str(), nullptr, 10), sink);
}

}  // namespace ingot::client
