#include "daemon/api/http.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::api {

Response json_response(int status, std::string text) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(text) + "\n";
  return response;
}

Response error_response(const Error& error) {
  return json_response(proto::info(error.kind).http_status, proto::dump(proto::to_json(error)));
}

const char* reason_phrase(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Answer";
  }
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      unsigned value = 0;
      const std::string_view digits = text.substr(i + 1, 2);
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
        return base::fail(ErrorKind::invalid, "\"" + std::string(text.substr(i, 3)) + "\" is no percent-encoded byte");
      }
      decoded += static_cast<char>(value);
      i += 2;
    }
  }
  return decoded;
}

Status split_target(const std::string& target, Request& request) {
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question == std::string::npos) return {};
  for (const auto& pair : base::split(target.substr(question + 1), '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    INGOT_TRY(auto name, percent_decode(pair.substr(0, equals), true));
    INGOT_TRY(auto value, percent_decode(equals == std::string::npos ? "" : pair.substr(equals + 1), true));
    request.query[name] = value;
  }
  return {};
}

Result<std::uint64_t> query_number(const Request& request, const std::string& name, std::uint64_t fallback) {
  auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  std::uint64_t value = 0;
  const std::string& text = found->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return base::fail(ErrorKind::invalid,
                    fmt::format("query parameter {}: \"{}\" is no number", name, base::printable(text)));
}

}  // namespace ingot::api
