#include "proto/error.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace ingot::proto {

const std::vector<ErrorKindInfo>& error_kinds() {
  static const std::vector<ErrorKindInfo> kTable = {
      {ErrorKind::usage, "usage", 400, 2, "The command line is wrong."},
      {ErrorKind::invalid, "invalid", 400, 2, "A request, a configuration or a project file is wrong."},
      {ErrorKind::syntax, "syntax", 422, 2, "An Earthfile or a configuration file does not parse."},
      {ErrorKind::not_found, "not_found", 404, 3, "A job, target, artifact, image or file is not there."},
      {ErrorKind::method_not_allowed, "method_not_allowed", 405, 70, "The route does not take this method."},
      {ErrorKind::conflict, "conflict", 409, 4, "The state of the job or of the file forbids it."},
      {ErrorKind::denied, "denied", 403, 5, "The caller, or the host's configuration, does not allow it."},
      {ErrorKind::too_large, "too_large", 413, 6, "A file, a request or a log is over its limit."},
      {ErrorKind::no_space, "no_space", 507, 7, "The disk is full."},
      {ErrorKind::unsupported, "unsupported", 501, 8, "This version, or this host, cannot do it."},
      {ErrorKind::unavailable, "unavailable", 503, 69, "No daemon answers, or it takes no work now."},
      {ErrorKind::step_failed, "step_failed", 422, 1, "A step of the build failed."},
      {ErrorKind::timed_out, "timed_out", 504, 124, "The time limit ran out."},
      {ErrorKind::canceled, "canceled", 409, 130, "The job was canceled, or the client was interrupted."},
      {ErrorKind::internal, "internal", 500, 70, "A defect of Ingot."},
  };
  return kTable;
}

const ErrorKindInfo& info(ErrorKind kind) {
  const auto& table = error_kinds();
  auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.kind == kind; });
  return found != table.end() ? *found : table.back();
}

ErrorKind error_kind_from_name(std::string_view name) {
  for (const auto& row : error_kinds()) {
    if (row.name == name) return row.kind;
  }
  return ErrorKind::internal;
}

nlohmann::json to_json(const Error& error) {
  nlohmann::json body = {{"kind", info(error.kind).name}, {"message", error.message}};
  if (!error.hint.empty()) body["hint"] = error.hint;
  if (error.position) {
    body["position"] = {{"file", error.position->file},
                        {"line", error.position->line},
                        {"column", error.position->column},
                        {"source_line", error.position->source_line}};
  }
  if (!error.context.empty()) body["context"] = error.context;
  if (error.exit_code != 0) body["exit_code"] = error.exit_code;
  return body;
}

namespace {

std::string text_or(const nlohmann::json& object, const char* key, std::string fallback) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::move(fallback);
}

int number_or_zero(const nlohmann::json& object, const char* key) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_number_integer()) return 0;
  const auto number = it->get<std::int64_t>();
  return number >= 0 && number <= std::numeric_limits<int>::max() ? static_cast<int>(number) : 0;
}

}  // namespace

Error error_from_json(const nlohmann::json& body) {
  Error error;
  if (!body.is_object()) {
    constexpr std::size_t kShown = 200;
    error.message = "the answer is no error object: " +
                    body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, kShown);
    return error;
  }
  error.kind = error_kind_from_name(text_or(body, "kind", "internal"));
  error.message = text_or(body, "message", "no message");
  error.hint = text_or(body, "hint", "");
  if (auto it = body.find("position"); it != body.end() && it->is_object()) {
    error.position = Position{text_or(*it, "file", ""), number_or_zero(*it, "line"), number_or_zero(*it, "column"),
                              text_or(*it, "source_line", "")};
  }
  error.exit_code = number_or_zero(body, "exit_code");
  if (auto it = body.find("context"); it != body.end() && it->is_array()) {
    for (const auto& line : *it) {
      if (line.is_string()) error.context.push_back(line.get<std::string>());
    }
  }
  return error;
}

std::string render(const Error& error) {
  std::string text;
  if (error.position) {
    text += error.position->file;
    if (error.position->line > 0) text += ":" + std::to_string(error.position->line);
    if (error.position->column > 0) text += ":" + std::to_string(error.position->column);
    text += ": ";
  }
  text += error.message;
  if (error.position && !error.position->source_line.empty()) {
    text += "\n  " + error.position->source_line;
    if (error.position->column > 0) {
      // Tabs stay tabs, so that the caret stands under its character whatever the terminal's tab width is.
      std::string pad;
      const auto& line = error.position->source_line;
      for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(error.position->column); ++i) {
        pad += i < line.size() && line[i] == '\t' ? '\t' : ' ';
      }
      text += "\n  " + pad + "^";
    }
  }
  for (const auto& line : error.context) text += "\n  " + line;
  if (!error.hint.empty()) text += "\nhint: " + error.hint;
  return text;
}

}  // namespace ingot::proto
