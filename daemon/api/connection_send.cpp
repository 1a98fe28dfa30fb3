#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "daemon/api/connection.h"
#include "daemon/sys/passed_files.h"

// How answers leave: a head and a body in one write, a file by sendfile, a log in chunks as it grows, and so what a
// task tells.
namespace ingot::api {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::seconds kReaderPatience{600};  // a reader that takes nothing for so long is gone
}

void Connection::respond(Response response) {
  const bool is_head = request_.method == "HEAD";
  std::string* text = std::get_if<std::string>(&response.body);
  head_ = fmt::format("HTTP/1.1 {} {}\r\nServer: ingotd/{}\r\nIngot-Api: {}\r\n", response.status,
                      reason_phrase(response.status), shared_.services.version.version, shared_.services.version.api);
  for (const auto& [name, value] : response.headers) head_ += name + ": " + value + "\r\n";
  if (text != nullptr) {
    if (response.status != 304) head_ += fmt::format("Content-Length: {}\r\n", text->size());
  } else if (auto* file = std::get_if<FilePart>(&response.body)) {
    head_ += fmt::format("Content-Length: {}\r\n", file->size);
    if (!is_head) file_ = std::move(*file);
  } else if (auto* passed = std::get_if<PassedFile>(&response.body)) {
    head_ += "Content-Length: 0\r\n";
    passed_ = std::move(passed->fd);
  } else if (auto* stream = std::get_if<TaskStream>(&response.body)) {
    head_ += "Transfer-Encoding: chunked\r\n";
    task_ = std::make_shared<Task>();
    task_->stream = std::move(*stream);
  } else if (auto* handover = std::get_if<Handover>(&response.body)) {
    handover_ = std::move(*handover);
  } else {
    head_ += "Transfer-Encoding: chunked\r\n";
    log_ = std::make_unique<LogStream>(std::move(std::get<LogStream>(response.body)));
  }
  if (handover_.take)
    head_ += "Connection: Upgrade\r\n\r\n";
  else
    head_ += keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (text != nullptr && !is_head) head_ += *text;
  arm_timer(kReaderPatience);
  if (passed_) return pass_file();
  asio::async_write(socket_, asio::buffer(head_),
                    [self = shared_from_this()](Error error, std::size_t) { self->on_head_sent(error); });
}

// The descriptor goes with the head's first byte, the rest of the head as any other.
void Connection::pass_file() {
  socket_.native_non_blocking(true);
  const ssize_t sent = sys::send_with_file(socket_.native_handle(), {head_.data(), 1}, passed_.get());
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    return socket_.async_wait(Socket::wait_write,
                              [self = shared_from_this()](Error error) { error ? self->close() : self->pass_file(); });
  }
  passed_.reset();
  if (sent != 1) return close();
  head_.erase(0, 1);
  asio::async_write(socket_, asio::buffer(head_),
                    [self = shared_from_this()](Error error, std::size_t) { self->on_head_sent(error); });
}

void Connection::on_head_sent(Error error) {
  if (error) return close();
  if (file_.fd) return send_file();
  if (task_) return run_task();
  if (handover_.take) return hand_over();
  if (!log_) return finish_response();
  if (log_->follow && log_->live) {
    // The job's thread calls this; all that it may do there is to hand a note to ours, and one note is enough.
    log_woken_ = std::make_shared<std::atomic<bool>>(false);
    log_subscription_ = log_->live->subscribe([weak = weak_from_this(), &io = shared_.io, woken = log_woken_] {
      if (woken->exchange(true)) return;
      asio::post(io, [weak] {
        auto self = weak.lock();
        if (self && self->log_ && std::exchange(self->log_waiting_, false)) self->read_log();
      });
    });
    watch_for_hang_up();
  }
  read_log();
}

void Connection::send_file() {
  socket_.native_non_blocking(true);
  constexpr std::size_t kAtOnce = 4U << 20;  // then other connections have their turn
  while (file_.size > 0) {
    auto offset = static_cast<off_t>(file_.offset);
    ssize_t sent =
        sendfile(socket_.native_handle(), file_.fd.get(), &offset, std::min<std::uint64_t>(file_.size, kAtOnce));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return close();
    if (sent == 0) return close();  // the file is shorter than it was: the client sees a broken transfer
    if (sent > 0) {
      file_.offset += static_cast<std::uint64_t>(sent);
      file_.size -= static_cast<std::uint64_t>(sent);
      if (file_.size == 0) break;
    }
    arm_timer(kReaderPatience);
    return socket_.async_wait(Socket::wait_write,
                              [self = shared_from_this()](Error error) { error ? self->close() : self->send_file(); });
  }
  finish_response();
}

void Connection::read_log() {
  if (log_woken_) *log_woken_ = false;
  // Closed is asked before reading: what was appended before the end is then surely read.
  on_pool(
      shared_.log_readers,
      [this]() -> std::pair<Result<std::string>, bool> {
        const bool ended = !log_->follow || !log_->live || log_->live->closed();
        return {log_->reader.read(), ended};
      },
      [this](std::pair<Result<std::string>, bool> look) { on_log_chunk(std::move(look.first), look.second); });
}

void Connection::on_log_chunk(Result<std::string> chunk, bool ended) {
  if (!log_ || !chunk) return close();
  if (!chunk->empty()) return send_chunk(std::move(*chunk), false);
  if (ended) return send_chunk("", true);
  if (log_woken_ && *log_woken_) return read_log();
  timer_.cancel();  // a quiet job is no stalled client
  log_waiting_ = true;
}

void Connection::send_chunk(std::string text, bool last) {
  head_ = last ? "0\r\n\r\n" : fmt::format("{:x}\r\n", text.size()) + std::move(text) + "\r\n";
  arm_timer(kReaderPatience);
  asio::async_write(socket_, asio::buffer(head_), [self = shared_from_this(), last](Error error, std::size_t) {
    if (error) return self->close();
    last ? self->finish_response() : self->read_log();
  });
}

void Connection::run_task() {
  timer_.cancel();  // it may be quiet for as long as it likes
  watch_for_hang_up();
  on_pool(
      shared_.tasks,
      [this, task = task_] {
        const auto tell = [this, self = shared_from_this(), &task](const std::string& line) {
          asio::post(shared_.io, [self, task, text = line + "\n"] {
            task->told += text;
            self->send_told();
          });
        };
        task->stream.work(tell, task->cancel.token());
        return task;
      },
      [this](const std::shared_ptr<Task>& task) {
        task->ended = true;
        send_told();
      });
}

// One write at a time; what is told meanwhile goes with the next.
void Connection::send_told() {
  if (!task_ || task_->sending || !socket_.is_open()) return;
  const bool last = task_->told.empty() && task_->ended;
  if (task_->told.empty() && !last) return;
  head_ = last ? "0\r\n\r\n" : fmt::format("{:x}\r\n", task_->told.size()) + task_->told + "\r\n";
  task_->told.clear();
  task_->sending = true;
  arm_timer(kReaderPatience);
  asio::async_write(socket_, asio::buffer(head_), [self = shared_from_this(), last](Error error, std::size_t) {
    if (error || !self->task_) return self->close();
    self->timer_.cancel();
    self->task_->sending = false;
    last ? self->finish_response() : self->send_told();
  });
}

// Who sends more before he has the head speaks another protocol.
void Connection::hand_over() {
  if (buffer_.size() > 0) return close();
  Error ignored;
  timer_.cancel(ignored);
  sys::UniqueFd connection(socket_.release(ignored));
  if (!connection) return;
  asio::post(shared_.workers,
             [take = std::move(handover_.take), held = std::make_shared<sys::UniqueFd>(std::move(connection))] {
               take(std::move(*held));
             });
}

// While a follower waits for a quiet job, or a client for its file to be kept, only this notices that it has gone.
void Connection::watch_for_hang_up() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](Error error) {
    if (error || (!self->log_ && !self->task_ && !self->upload_)) return;
    char byte = 0;
    if (recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) self->close();
  });
}

void Connection::finish_response() {
  log_subscription_.reset();
  log_.reset();
  task_.reset();
  file_ = FilePart{};
  if (keep_alive_) return read_head();
  // Let the answer reach a client that still sends, before the socket goes: half a close first.
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  arm_timer(std::chrono::seconds(2));
  drain();
}

// Reads and drops what a refused request still sends, until the client closes, the timer ends it, or it is too much.
void Connection::drain() {
  constexpr std::size_t kEnough = 16U << 20;
  if (drained_ > kEnough) return close();
  part_.resize(kPart);
  socket_.async_read_some(asio::buffer(part_), [self = shared_from_this()](Error error, std::size_t size) {
    self->drained_ += size;
    error ? self->close() : self->drain();
  });
}

}  // namespace ingot::api
