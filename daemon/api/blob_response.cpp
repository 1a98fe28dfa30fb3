#include "daemon/api/blob_response.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/byte_range.h"
#include "daemon/base/digest.h"

namespace ingot::api {

namespace {

// For a header's quoted text: what could end it is left out.
std::string file_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  std::erase_if(name, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  return name;
}

}  // namespace

Result<Response> blob_response(const Services& services, const Request& request, const proto::Artifact& artifact) {
  INGOT_TRY(auto digest, base::Digest::parse(artifact.digest));
  const std::string tag = "\"" + artifact.digest + "\"";
  Response response;
  response.headers = {{"ETag", tag}, {"Accept-Ranges", "bytes"}, {"Ingot-Digest", artifact.digest}};
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  INGOT_TRY(auto fd, services.composed.open_any(digest));
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

}  // namespace ingot::api
