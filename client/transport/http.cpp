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
#include <charconv>
#include <cstring>
#include <utility>

#include "daemon/base/strings.h"
#include "daemon/sys/passed_files.h"

namespace ingot::client {

namespace {

using base::fail;
using base::fail_errno;

constexpr std::size_t kBuffer = 1 << 20;  // large, so that a download costs few calls

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

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

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
  for (const auto& [name, value] : request.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "\r\n";
  if (request.file < 0) text += request.body;
  Status sent = request.passed >= 0 ? send_with_descriptor(text, request.passed) : send_text(text);
  if (sent && request.file >= 0) sent = send_file(request.file, request.file_size);
  if (!sent && sent.error().kind == ErrorKind::conflict) return fail(sent.error());
  no_body_ = request.method == "HEAD";
  // A daemon that refuses early answers and closes before all was sent: its answer says more than the broken pipe.
  auto head = read_head();
  return head || sent ? head : fail(sent.error());
}

Status HttpConnection::send_text(std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      return broken(std::strerror(errno));
  }
  return {};
}

// The descriptor belongs to the first byte, so that it is there when the head is.
Status HttpConnection::send_with_descriptor(std::string_view text, int passed) {
  ssize_t sent = 0;
  do {
    sent = sys::send_with_file(fd_.get(), text, passed);
  } while (sent < 0 && errno == EINTR);
  if (sent <= 0) return broken(std::strerror(errno));
  return send_text(text.substr(static_cast<std::size_t>(sent)));
}

Result<HttpHead> HttpConnection::read_head() {
  INGOT_TRY(auto status_line, read_line());
  head_ = HttpHead{};
  const auto words = base::split(status_line, ' ');
  if (words.size() < 2 || !words[0].starts_with("HTTP/1.")) {
    return fail(ErrorKind::unsupported, "what answers at the socket speaks no HTTP, so it is no ingotd",
                "--socket or INGOT_SOCKET may name the socket of another program");
  }
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
  no_body_ = no_body_ || head_.status == 304 || head_.status == 204 || head_.status == 101;
  body_left_ = 0;
  if (no_body_ || head_.headers.contains("transfer-encoding")) return head_;
  const std::string& length = head_.headers["content-length"];
  auto [end, bad] = std::from_chars(length.data(), length.data() + length.size(), body_left_);
  if (bad != std::errc() || end != length.data() + length.size()) return broken("its answer has no length");
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
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.empty()) buffer_.resize(kBuffer);
  if (end_ == buffer_.size()) {  // an unfinished line at the end: to the front with it
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  INGOT_TRY(auto got, receive(buffer_.data() + end_, buffer_.size() - end_));
  end_ += got;
  return {};
}

Result<std::size_t> HttpConnection::receive(char* to, std::size_t size) {
  std::vector<sys::UniqueFd> files;
  const ssize_t got = sys::receive_with_files(fd_.get(), to, size, 0, files, 1);
  if (!files.empty()) passed_ = std::move(files.front());
  if (got <= 0) return broken(got == 0 ? "it was closed" : std::strerror(errno));
  return static_cast<std::size_t>(got);
}

Result<std::string> HttpConnection::read_line() {
  constexpr std::size_t kLongest = 64 << 10;
  while (true) {
    if (std::size_t end = received().find("\r\n"); end != std::string_view::npos) {
      std::string line(received().substr(0, end));
      begin_ += end + 2;
      return line;
    }
    if (received().size() > kLongest) return broken("a line of its answer has no end");
    INGOT_CHECK(fill());
  }
}

Status HttpConnection::pass_bytes(std::uint64_t size, const Sink& sink) {
  while (size > 0) {
    if (begin_ == end_) INGOT_CHECK(fill());
    const std::string_view part = received().substr(0, size);
    begin_ += part.size();
    size -= part.size();
    if (!sink(part)) return fail(ErrorKind::canceled, "stopped");
  }
  return {};
}

Status HttpConnection::pass_chunks(const Sink& sink) {
  while (true) {
    INGOT_TRY(auto line, read_line());
    std::uint64_t size = 0;
    auto [end, bad] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (bad != std::errc() || (end != line.data() + line.size() && *end != ';')) {
      return broken("\"" + base::printable(line.substr(0, 40)) + "\" is no length of a chunk");
    }
    INGOT_CHECK(pass_bytes(size, sink));
    INGOT_CHECK(read_line());
    if (size == 0) return {};
  }
}

Status HttpConnection::read_body(const Sink& sink) {
  if (no_body_) return {};
  if (head_.headers.contains("transfer-encoding")) return pass_chunks(sink);
  return pass_bytes(std::exchange(body_left_, 0), sink);
}

Result<std::size_t> HttpConnection::read_some(char* to, std::size_t size) {
  size = std::min<std::uint64_t>(size, body_left_);
  if (size == 0) return 0;
  std::size_t got = std::min(size, received().size());
  if (got > 0) {
    std::memcpy(to, received().data(), got);
    begin_ += got;
  } else {
    INGOT_TRY(got, receive(to, size));
  }
  body_left_ -= got;
  return got;
}

}  // namespace ingot::client
