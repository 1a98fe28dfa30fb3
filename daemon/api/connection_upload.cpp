#include <boost/asio/post.hpp>

#include "daemon/api/connection.h"
#include "daemon/api/passed_upload.h"

// Files that come as open descriptors. What is done with such a file, even closing it, can wait for the client's file
// system for ever, and so has threads of its own.
namespace ingot::api {

void Connection::discard_passed() {
  if (passed_in_.files.empty()) return;
  boost::asio::post(shared_.copiers, [files = std::exchange(passed_in_, {})] {});
}

void Connection::begin_upload() {
  auto upload = passed_upload(request_, passed_in_, shared_.services.contexts.limits().max_file_bytes);
  if (upload && !parser_->is_done()) {
    passed_in_.files.push_back(std::move((*upload)->file));
    upload = base::fail(ErrorKind::invalid, "a request with a descriptor has no body", "send Content-Length: 0");
  }
  if (!upload) {
    if (!parser_->is_done()) return refuse(upload.error());
    return respond(error_response(upload.error()));
  }
  upload_ = std::move(*upload);
  timer_.cancel();  // a large file may take its time
  watch_for_hang_up();
  const bool is_first = shared_.uploads.take(upload_->digest.str(), [self = shared_from_this()](bool kept) {
    if (kept || self->upload_->gone) {
      self->passed_in_.files.push_back(std::move(self->upload_->file));
      self->discard_passed();
      self->finish_upload(kept ? Status() : base::fail(ErrorKind::canceled, "the client is gone"));
      return false;
    }
    self->keep_upload();
    return true;
  });
  if (is_first) keep_upload();
}

void Connection::keep_upload() {
  on_pool(
      shared_.copiers, [this, upload = upload_] { return keep(shared_.services.blobs, *upload); },
      [this](const Status& kept) {
        shared_.uploads.end(upload_->digest.str(), kept.has_value());
        finish_upload(kept);
      });
}

void Connection::finish_upload(const Status& kept) {
  upload_.reset();
  if (!socket_.is_open()) return;
  respond(kept ? route_->handler(shared_.services, request_) : error_response(kept.error()));
}

}  // namespace ingot::api
