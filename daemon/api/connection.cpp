#include "daemon/api/connection.h"

#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <cctype>
#include <cerrno>

#include "daemon/api/handlers.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sys/passed_files.h"

namespace ingot::api {

namespace http = boost::beast::http;
namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kIdle{300};    // between two requests
constexpr std::chrono::seconds kStalled{60};  // within one
constexpr std::uint32_t kLargestHead = 32 << 10;

proto::Submitter peer_of(int socket) {
  proto::Submitter submitter;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return submitter;
  submitter.uid = credentials.uid;
  submitter.gid = credentials.gid;
  std::vector<char> text(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(credentials.uid, &entry, text.data(), text.size(), &found) == 0 && found != nullptr) {
    submitter.user = found->pw_name;
  }
  return submitter;
}

}  // namespace

Connection::Connection(Shared& shared, Socket socket) : shared_(shared), socket_(std::move(socket)), timer_(shared.io) {
  shared_.connections.insert(this);
  submitter_ = peer_of(socket_.native_handle());
}

Connection::~Connection() {
  shared_.connections.erase(this);
}

void Connection::start() {
  read_head();
}

void Connection::close() {
  Error ignored;
  timer_.cancel(ignored);
  log_subscription_.reset();
  if (task_) task_->cancel.cancel();
  if (upload_) upload_->gone = true;
  discard_passed();
  socket_.close(ignored);
}

void Connection::arm_timer(std::chrono::seconds patience) {
  timer_.expires_after(patience);
  timer_.async_wait([weak = weak_from_this()](Error error) {
    auto self = weak.lock();
    if (self && !error) self->close();
  });
}

void Connection::read_head() {
  request_ = Request{};
  request_.submitter = submitter_;
  route_ = nullptr;
  blob_.reset();
  discard_passed();
  part_ = {};  // a connection that only waits needs no room
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(kLargestHead);
  parser_->body_limit(boost::none);  // bounded below, by route
  arm_timer(kIdle);
  parse_head();
}

void Connection::parse_head() {
  Error error = http::error::need_more;
  if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), error));
  if (parser_->is_header_done()) error = {};
  error == http::error::need_more ? receive_head() : on_head(error);
}

// Not by Beast, which would drop the descriptors that come with a head.
void Connection::receive_head() {
  constexpr std::size_t kLeast = 1024;  // a connection that only waits needs little room
  const auto room = buffer_.prepare(std::max(kLeast, buffer_.capacity() - buffer_.size()));
  const auto got = sys::receive_with_files(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT,
                                           passed_in_.files, PassedIn::kMost);
  if (got > 0) {
    buffer_.commit(static_cast<std::size_t>(got));
    return parse_head();
  }
  if (got == 0) return on_head(buffer_.size() > 0 ? http::error::partial_message : http::error::end_of_stream);
  if (errno != EAGAIN) return close();
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this()](Error error) { error ? self->close() : self->receive_head(); });
}

void Connection::on_head(Error error) {
  if (error == http::error::end_of_stream || error == asio::error::operation_aborted) return close();
  if (error && error.category() != make_error_code(http::error::bad_method).category()) return close();
  if (error) {
    const bool large = error == http::error::header_limit;
    return refuse(ingot::Error{large ? ErrorKind::too_large : ErrorKind::invalid,
                               "this is no HTTP/1.1 request: " + error.message(),
                               "",
                               {},
                               {}});
  }
  arm_timer(kStalled);
  const auto& head = parser_->get();
  keep_alive_ = head.keep_alive();
  request_.method = std::string(head.method_string());
  for (const auto& field : head) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    request_.headers[name] = std::string(field.value());
  }
  if (auto split = split_target(std::string(head.target()), request_); !split) return refuse(split.error());
  if (auto refusal = refuse_api(shared_.services, request_)) {
    keep_alive_ = false;
    return respond(std::move(*refusal));
  }
  auto match = find_route(request_);
  if (match.refusal) {
    // A body that nobody reads would be taken for the next request.
    if (!parser_->is_done()) keep_alive_ = false;
    return respond(std::move(*match.refusal));
  }
  route_ = match.route;
  if (base::starts_with_ci(request_.header("expect"), "100-continue")) return say_continue();
  take_body();
}

void Connection::say_continue() {
  static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue), [self = shared_from_this()](Error error, std::size_t) {
    if (error) return self->close();
    self->take_body();
  });
}

void Connection::take_body() {
  if (route_->body != BodyKind::blob) return read_body();
  request_.header("ingot-descriptor").empty() ? begin_blob() : begin_upload();
}

void Connection::read_body() {
  const auto& settings = shared_.settings;
  const std::size_t limit = route_->body == BodyKind::manifest ? settings.max_manifest_bytes : settings.max_body_bytes;
  const auto announced = parser_->content_length();
  if ((announced && *announced > limit) || request_.body.size() > limit) {
    return refuse(ingot::Error{
        ErrorKind::too_large, "the body of this request may have " + base::human_bytes(limit), "", {}, {}});
  }
  if (parser_->is_done()) return handle();
  part_.resize(kPart);
  parser_->get().body().data = part_.data();
  parser_->get().body().size = part_.size();
  http::async_read_some(socket_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
    if (error == http::error::need_buffer) error = {};
    if (error) return self->close();
    self->request_.body.append(self->part_.data(), self->part_.size() - self->parser_->get().body().size);
    self->arm_timer(kStalled);
    self->read_body();
  });
}

void Connection::begin_blob() {
  auto digest = base::Digest::parse(request_.path_values.at("digest"));
  if (!digest) return refuse(digest.error());
  const auto announced = parser_->content_length();
  const auto limit = shared_.services.contexts.limits().max_file_bytes;
  if (announced && *announced > limit) {
    return refuse(
        ingot::Error{ErrorKind::too_large, "a file of a context may have " + base::human_bytes(limit), "", {}, {}});
  }
  auto writer = shared_.services.blobs.begin(store::BlobFor::upload);
  if (!writer) return refuse(writer.error());
  blob_ = std::make_unique<store::BlobWriter>(std::move(*writer));
  read_blob();
}

void Connection::read_blob() {
  if (parser_->is_done()) return finish_blob();
  part_.resize(kPart);
  parser_->get().body().data = part_.data();
  parser_->get().body().size = part_.size();
  http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
    if (error == http::error::need_buffer) error = {};
    if (error) return self->close();
    self->on_blob_part();
  });
}

void Connection::on_blob_part() {
  arm_timer(kStalled);
  const std::size_t size = part_.size() - parser_->get().body().size;
  on_pool(
      shared_.workers,
      [this, size]() -> Status {
        INGOT_CHECK(blob_->write({part_.data(), size}));
        const auto limit = shared_.services.contexts.limits().max_file_bytes;
        if (blob_->size() <= limit) return {};
        return base::fail(ErrorKind::too_large, "a file of a context may have " + base::human_bytes(limit));
      },
      [this](Status written) { written ? read_blob() : refuse(written.error()); });
}

void Connection::finish_blob() {
  on_pool(
      shared_.workers,
      [this]() -> Response {
        auto digest = base::Digest::parse(request_.path_values.at("digest"));
        auto kept = blob_->commit(store::Durability::later, *digest);
        blob_.reset();
        return kept ? route_->handler(shared_.services, request_) : error_response(kept.error());
      },
      [this](Response response) { respond(std::move(response)); });
}

void Connection::handle() {
  timer_.cancel();  // a handler may take its time
  on_pool(
      route_->pace == Pace::slow ? shared_.planners : shared_.workers,
      [this] { return route_->handler(shared_.services, request_); },
      [this](Response response) { respond(std::move(response)); });
}

void Connection::refuse(const ingot::Error& error) {
  blob_.reset();
  keep_alive_ = false;
  respond(error_response(error));
}

}  // namespace ingot::api
