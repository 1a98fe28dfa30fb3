#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/api/byte_range.h"
#include "daemon/api/handlers.h"
#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::api {

namespace {

using base::fail;

Result<proto::Artifact> find_artifact(const Services& services, const Request& request) {
  const std::string& id = request.path_values.at("id");
  const std::string& wanted = request.path_values.at("artifact");
  INGOT_TRY(auto artifacts, services.jobs.artifacts(id));
  auto found = std::find_if(artifacts.begin(), artifacts.end(), [&](const auto& row) { return row.id == wanted; });
  if (found != artifacts.end()) return *found;
  return fail(ErrorKind::not_found, fmt::format("job {} has no artifact \"{}\"", id, base::printable(wanted)),
              "GET /v1/jobs/" + id + "/artifacts lists them");
}

// For a header's quoted text: what could end it is left out.
std::string file_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  std::erase_if(name, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  return name;
}

Result<Response> download(const Services& services, const Request& request) {
  INGOT_TRY(auto artifact, find_artifact(services, request));
  INGOT_TRY(auto digest, base::Digest::parse(artifact.digest));
  const std::string tag = "\"" + artifact.digest + "\"";
  Response response;
  response.headers = {{"ETag", tag}, {"Accept-Ranges", "bytes"}, {"Ingot-Digest", artifact.digest}};
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  INGOT_TRY(auto fd, sys::open_file(services.blobs.path(digest), O_RDONLY));
  if (request.header("ingot-accept") == "descriptor" && request.method == "GET") {
    response.headers.emplace_back("Ingot-Descriptor", std::to_string(artifact.size));
    response.body = PassedFile{std::move(fd)};
    return response;
  }
  // A range of another version of the file is worth nothing: then the whole is sent.
  const std::string condition = request.header("if-range");
  const std::string range_header = condition.empty() || condition == tag ? request.header("range") : "";
  const ByteRange range = parse_range(range_header, artifact.size);
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    Error error;
    error.kind = ErrorKind::invalid;
    error.message = fmt::format("the artifact has {} bytes; the range lies behind its end", artifact.size);
    response = error_response(error);
    response.status = 416;
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", artifact.size));
    return response;
  }
  if (range.kind == ByteRange::Kind::part) {
    response.status = 206;
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.size - 1, artifact.size));
  }
  response.headers.emplace_back("Content-Type", artifact.media_type);
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}\"", file_name(artifact.name)));
  response.body = FilePart{std::move(fd), range.offset, range.size};
  return response;
}

}  // namespace

Response list_artifacts(const Services& services, const Request& request) {
  auto artifacts = services.jobs.artifacts(request.path_values.at("id"));
  if (!artifacts) return error_response(artifacts.error());
  auto list = nlohmann::json::array();
  for (const auto& artifact : *artifacts) list.push_back(proto::to_json(artifact));
  return json_response(200, proto::dump({{"artifacts", list}}));
}

Response get_artifact(const Services& services, const Request& request) {
  auto response = download(services, request);
  return response ? std::move(*response) : error_response(response.error());
}

}  // namespace ingot::api
