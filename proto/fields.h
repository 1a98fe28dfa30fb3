#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proto/types.h"

namespace ingot::proto {

// Reads the fields of one JSON object and remembers the first that is missing or of a wrong type, so that a decoder is
// a list of fields and one question at its end. Fields that nobody asks for are ignored. Only for codec files: it
// brings the whole JSON library.
class Fields {
 public:
  // `what` is for messages, with its article: "an event".
  Fields(const nlohmann::json& object, std::string what) : object_(object), what_(std::move(what)) {
    if (!object.is_object()) error_ = what_ + " must be a JSON object";
  }

  const nlohmann::json* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  void require(const char* key) {
    if (find(key) == nullptr) complain(std::string("field \"") + key + "\" of " + what_ + " is missing");
  }
  void complain(std::string problem) {
    if (error_.empty()) error_ = std::move(problem);
  }

  void read(const char* key, std::string& value) {
    take(
        key, "a string", [](const auto& json) { return json.is_string(); }, value);
  }
  void read(const char* key, bool& value) {
    take(
        key, "true or false", [](const auto& json) { return json.is_boolean(); }, value);
  }
  void read(const char* key, double& value) {
    take(
        key, "a number", [](const auto& json) { return json.is_number(); }, value);
  }
  template <typename Integer>
  void read_integer(const char* key, Integer& value) {
    const auto* json = find(key);
    if (json == nullptr) return;
    if (json->is_number_unsigned()) {
      auto number = json->template get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())) {
        value = static_cast<Integer>(number);
        return;
      }
    } else if (json->is_number_integer()) {
      auto number = json->template get<std::int64_t>();
      if (std::numeric_limits<Integer>::is_signed &&
          number >= static_cast<std::int64_t>(std::numeric_limits<Integer>::min())) {
        value = static_cast<Integer>(number);
        return;
      }
    }
    complain_type(key, "a whole number within its bounds");
  }
  void read(const char* key, std::map<std::string, std::string>& value) {
    take(
        key, "an object of strings", [](const auto& json) { return json.is_object() && all_strings(json); }, value);
  }
  void read(const char* key, std::vector<std::string>& value) {
    take(
        key, "a list of strings", [](const auto& json) { return json.is_array() && all_strings(json); }, value);
  }

  // Ok unless something was wrong.
  tl::expected<void, Error> done() const {
    if (error_.empty()) return {};
    Error error;
    error.kind = ErrorKind::invalid;
    error.message = error_;
    return tl::unexpected<Error>(std::move(error));
  }

 private:
  static bool all_strings(const nlohmann::json& json) {
    return json.is_structured() && std::all_of(json.begin(), json.end(), [](const auto& e) { return e.is_string(); });
  }
  template <typename Value, typename Fits>
  void take(const char* key, const char* expected, Fits fits, Value& value) {
    const auto* json = find(key);
    if (json == nullptr) return;
    if (!fits(*json)) return complain_type(key, expected);
    value = json->template get<Value>();
  }
  void complain_type(const char* key, const std::string& expected) {
    complain(std::string("field \"") + key + "\" of " + what_ + " must be " + expected);
  }

  const nlohmann::json& object_;
  std::string what_;
  std::string error_;
};

// Decodes each element of the list under `key`; kind `invalid` when it is no list.
template <typename T, typename Decode>
tl::expected<void, Error> read_list(const Fields& fields, const char* key, Decode decode, std::vector<T>& values) {
  const auto* list = fields.find(key);
  if (list == nullptr) return {};
  if (!list->is_array()) {
    Error error;
    error.kind = ErrorKind::invalid;
    error.message = std::string("field \"") + key + "\" must be a list";
    return tl::unexpected<Error>(std::move(error));
  }
  values.reserve(list->size());
  for (const auto& element : *list) {
    auto value = decode(element);
    if (!value) {
      Error error = std::move(value).error();
      error.context.push_back(std::string("in ") + key + "[" + std::to_string(values.size()) + "]");
      return tl::unexpected<Error>(std::move(error));
    }
    values.push_back(std::move(*value));
  }
  return {};
}

// The decoded value, unless one of its fields was wrong.
template <typename T>
tl::expected<T, Error> finish(const Fields& fields, T value) {
  if (auto ok = fields.done(); !ok) return tl::unexpected<Error>(ok.error());
  return value;
}

}  // namespace ingot::proto
