#include <nlohmann/json.hpp>

#include "daemon/api/blob_response.h"
#include "daemon/api/handlers.h"
#include "daemon/api/image_documents.h"
#include "daemon/base/digest.h"
#include "proto/image.h"

namespace ingot::api {

namespace {

constexpr std::size_t kMostImages = 1000;

void add_sizes_of(const nlohmann::json& manifest, proto::ImageInfo& image) {
  const auto size = size_of_manifest(manifest);
  image.size += size.bytes;
  image.layers += size.layers;
}

// What the manifest says of the image's size, or those of an index; one that is gone says nothing.
void add_sizes(const Services& services, proto::ImageInfo& image) {
  const auto document = image_document(services.blobs, image.digest);
  if (document.empty()) return;
  image.size = proto::dump(document).size();
  add_sizes_of(document, image);
  for (const auto& one : document.value("manifests", nlohmann::json::array())) {
    image.size += size_in(one);
    const auto manifest = image_document(services.blobs, one.value("digest", ""));
    if (!manifest.empty()) add_sizes_of(manifest, image);
  }
}

Result<Response> send_blob(const Services& services, const Request& request) {
  INGOT_TRY(auto digest, base::Digest::parse(request.path_values.at("digest")));
  INGOT_TRY(const auto size, services.composed.size_of_any(digest));
  if (!size) return base::fail(ErrorKind::not_found, "the daemon has no blob " + digest.str());
  proto::Artifact what;
  what.name = digest.hex();
  what.digest = digest.str();
  what.size = *size;
  what.media_type = "application/octet-stream";
  return blob_response(services, request, what);
}

}  // namespace

Response list_images(const Services& services, const Request& /*request*/) {
  auto images = services.jobs.images(kMostImages);
  if (!images) return error_response(images.error());
  auto list = nlohmann::json::array();
  for (auto& image : *images) {
    add_sizes(services, image);
    list.push_back(proto::to_json(image));
  }
  return json_response(200, proto::dump({{"images", list}}));
}

Response push_image(const Services& services, const Request& request) {
  auto body = proto::parse_json(request.body);
  if (!body) return error_response(body.error());
  auto wanted = proto::image_push_from_json(*body);
  if (!wanted) return error_response(wanted.error());
  auto push = services.push(*wanted);
  if (!push) return error_response(push.error());
  Response response;
  response.headers.emplace_back("Content-Type", "application/x-ndjson");
  response.body = TaskStream{[push = std::move(*push)](const TaskStream::Tell& tell, const sys::CancelToken& cancel) {
    const auto say = [&](const proto::PushNews& news) { tell(proto::dump(proto::to_json(news))); };
    auto pushed = push([&](const std::string& line) { say({line, {}, {}}); }, cancel);
    pushed ? say({"", *pushed, {}}) : say({"", {}, pushed.error()});
  }};
  return response;
}

Response get_blob(const Services& services, const Request& request) {
  auto response = send_blob(services, request);
  return response ? std::move(*response) : error_response(response.error());
}

}  // namespace ingot::api
