#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <string_view>

#include "daemon/edge/findings.h"
#include "daemon/edge/schema.h"
#include "daemon/text/source.h"

namespace ingot::edge {

// `what`: what no file of that size is.
std::optional<proto::Error> too_large(std::string_view text, const std::string& file_name, const std::string& what,
                                      const std::string& hint);

// A YAML file held against a schema; what is wrong is told at its line and column. A misspelt key is an error, one that
// is merely not known a warning.
class DocumentCheck {
 public:
  explicit DocumentCheck(const text::Source& source) : source_(source) {}

  // The document, for what a schema cannot say of it; none where it is no map of keys.
  std::optional<YAML::Node> check(const Schema& schema, const std::string& what_it_has);
  void complain(const YAML::Mark& mark, std::string message, std::string hint);
  Findings take() { return std::move(findings_); }

 private:
  void value(const YAML::Node& node, const Schema& schema, const std::string& path);
  void empty(const YAML::Node& node, const Schema& schema, const std::string& path);
  void text_value(const YAML::Node& node, const Schema& schema, const std::string& path);
  void boolean(const YAML::Node& node, const std::string& path);
  void integer(const YAML::Node& node, const Schema& schema, const std::string& path);
  void list(const YAML::Node& node, const Schema& schema, const std::string& path);
  void keys(const YAML::Node& node, const Schema& schema, const std::string& path);
  void one_key(const YAML::Node& key, const YAML::Node& given, const Schema& schema, const std::string& path);
  void unknown_key(const YAML::Node& key, const Schema& schema, const std::string& path, const std::string& below);
  void check_certificate(const YAML::Node& node, const std::string& path, const std::string& given);
  void suspect(const YAML::Mark& mark, std::string message, std::string hint);
  void add(std::vector<proto::Error>& list, std::size_t offset, std::string message, std::string hint);

  const text::Source& source_;
  Findings findings_;
  std::size_t values_ = 0;
  bool gave_up_ = false;
};

}  // namespace ingot::edge
