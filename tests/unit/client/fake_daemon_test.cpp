#include "tests/unit/client/fake_daemon.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "daemon/base/strings.h"

// No tests: the fake that the other files of this folder share.
namespace ingot::client {

namespace {

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string whole(int file) {
  std::string text;
  char part[65536];
  for (ssize_t got = 0; (got = pread(file, part, sizeof part, static_cast<off_t>(text.size()))) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
  }
  return text;
}

std::string text_of(const FakeAnswer& answer, bool head_only) {
  if (!answer.raw.empty()) return answer.raw;
  std::string text = fmt::format("HTTP/1.1 {} Answer\r\nIngot-Api: 1\r\n", answer.status);
  for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
  if (answer.close) text += "Connection: close\r\n";
  if (answer.chunks.empty()) {
    if (!answer.headers.contains("Content-Length")) text += fmt::format("Content-Length: {}\r\n", answer.body.size());
    return text + "\r\n" + (head_only ? "" : answer.body);
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  for (const auto& chunk : answer.chunks) text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  return text + "0\r\n\r\n";
}

}  // namespace

FakeDaemon::FakeDaemon(Handler handler, bool read_bodies) : handler_(std::move(handler)), read_bodies_(read_bodies) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
  listening_ = sys::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listening_.get(), 16) != 0) {
    throw std::runtime_error("cannot listen at " + socket());
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeDaemon::~FakeDaemon() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listening_.get(), SHUT_RDWR);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
}

std::vector<FakeRequest> FakeDaemon::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t FakeDaemon::count(const std::string& method, const std::string& target) const {
  const auto all = requests();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const auto& row) { return row.method == method && row.target.starts_with(target); }));
}

void FakeDaemon::accept_all() {
  for (int number = 0;; ++number) {
    const int fd = accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::lock_guard lock(mutex_);
    if (stopping_) {
      close(fd);
      return;
    }
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

bool FakeDaemon::read_request(int fd, std::string& buffer, FakeRequest& request) const {
  auto more = [&] {
    char bytes[65536];
    iovec room{bytes, sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{nullptr, 0, &room, 1, control, drops_descriptors ? 0 : sizeof control, 0};
    const ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got > 0) buffer.append(bytes, static_cast<std::size_t>(got));
    if (const cmsghdr* attached = CMSG_FIRSTHDR(&message); got > 0 && attached != nullptr) {
      int passed = -1;
      std::memcpy(&passed, CMSG_DATA(attached), sizeof passed);
      const sys::UniqueFd file(passed);
      request.passed = whole(file.get());
    }
    return got > 0;
  };
  while (buffer.find("\r\n\r\n") == std::string::npos) {
    if (!more()) return false;
  }
  const std::size_t end = buffer.find("\r\n\r\n");
  const auto lines = base::split(buffer.substr(0, end), '\n');
  buffer.erase(0, end + 4);
  const auto words = base::split(lines.front(), ' ');
  request.method = words.at(0);
  request.target = words.at(1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    std::string name = lines[i].substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers[name] = base::trim(std::string_view(lines[i]).substr(colon + 1));
  }
  const std::size_t size = std::stoul(request.headers.at("content-length"));
  while (read_bodies_ && buffer.size() < size) {
    if (!more()) return false;
  }
  request.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return true;
}

void FakeDaemon::serve(int fd, int number) {
  std::string buffer;
  FakeRequest request;
  request.connection = number;
  while (request.headers.clear(), request.passed.reset(), read_request(fd, buffer, request)) {
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const FakeAnswer answer = handler_(request);
    send_all(fd, std::string_view(text_of(answer, request.method == "HEAD")).substr(0, answer.cut));
    if (answer.close || answer.cut != std::string::npos) break;
  }
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  close(fd);
}

}  // namespace ingot::client
