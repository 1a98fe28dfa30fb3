#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <vector>

#include "daemon/api/http.h"
#include "daemon/api/passed_upload.h"
#include "daemon/api/router.h"
#include "daemon/api/shared.h"

namespace ingot::api {

// One client's connection, request after request. All its methods run on the server's I/O thread, handlers and blob
// writes on the pools; it lives as long as an operation of it is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  Connection(Shared& shared, Socket socket);
  ~Connection();
  void start();
  void close();

 private:
  static constexpr std::size_t kPart = 256 << 10;
  using Error = boost::system::error_code;

  void read_head();
  void parse_head();
  void receive_head();
  void on_head(Error error);
  void say_continue();
  void take_body();
  void read_body();
  void begin_blob();
  void read_blob();
  void on_blob_part();
  void finish_blob();
  void discard_passed();
  void begin_upload();
  void keep_upload();
  void finish_upload(const Status& kept);
  void handle();

  void refuse(const ingot::Error& error);  // answers, and closes: the rest of the request is not read
  void respond(Response response);
  void pass_file();
  void on_head_sent(Error error);
  void send_file();
  void read_log();
  void on_log_chunk(Result<std::string> chunk, bool ended);
  void send_chunk(std::string text, bool last);
  void run_task();
  void send_told();
  void hand_over();
  void watch_for_hang_up();
  void finish_response();
  void drain();

  void arm_timer(std::chrono::seconds patience);
  // Runs `work` on the pool, then `then` with its result on the I/O thread.
  template <typename Work, typename Then>
  void on_pool(boost::asio::thread_pool& pool, Work work, Then then);

  Shared& shared_;
  Socket socket_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  std::unique_ptr<Parser> parser_;
  std::vector<char> part_;  // where the parser puts the body's next bytes
  proto::Submitter submitter_;

  Request request_;
  const Route* route_ = nullptr;
  PassedIn passed_in_;  // came with the head
  std::unique_ptr<store::BlobWriter> blob_;
  std::shared_ptr<PassedUpload> upload_;
  bool keep_alive_ = true;
  std::size_t drained_ = 0;

  // The answer that is being sent.
  std::string head_;
  FilePart file_;
  sys::UniqueFd passed_;
  std::unique_ptr<LogStream> log_;
  std::shared_ptr<void> log_subscription_;
  std::shared_ptr<std::atomic<bool>> log_woken_;  // something was appended since the last look
  bool log_waiting_ = false;                      // nothing was there; the next wake reads again
  struct Task {
    TaskStream stream;
    sys::CancelSource cancel;
    std::string told;  // and not sent yet
    bool sending = false;
    bool ended = false;
  };
  std::shared_ptr<Task> task_;
  Handover handover_;
};

template <typename Work, typename Then>
void Connection::on_pool(boost::asio::thread_pool& pool, Work work, Then then) {
  // `self` keeps the connection until the result is back, `open` the I/O thread.
  boost::asio::post(pool, [self = shared_from_this(), work = std::move(work), then = std::move(then),
                           open = boost::asio::make_work_guard(shared_.io)]() mutable {
    auto result = std::make_shared<decltype(work())>(work());
    auto& io = self->shared_.io;
    boost::asio::post(io,
                      [self = std::move(self), result, then = std::move(then)]() mutable { then(std::move(*result)); });
  });
}

}  // namespace ingot::api
