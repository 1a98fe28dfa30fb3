#include "daemon/edge/document_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <regex>
#include <set>

#include "daemon/base/strings.h"

namespace ingot::edge {

namespace {

using Kind = Schema::Kind;

// What a person writes is a few kilobytes; certificates make it tens.
constexpr std::size_t kLargest = 1U << 20U;
// Aliases let a few lines stand for billions of values.
constexpr std::size_t kMostValues = 100'000;
// std::regex follows a text by recursion; nothing that fits is longer.
constexpr std::size_t kLongestMatched = 1000;

bool is_stage(const std::string& name) {
  const auto& names = stage_names();
  std::string plain = name;
  for (const char* suffix : {".before", ".after"}) {
    if (plain.ends_with(suffix)) plain.resize(plain.size() - std::string_view(suffix).size());
  }
  return std::find(names.begin(), names.end(), plain) != names.end();
}

bool may_be_secret(std::string_view line) {
  const std::string lower = base::to_lower(line);
  // The last may be a private key by mistake.
  constexpr std::string_view kNames[] = {"passw", "token", "base64encodedvalue"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return lower.find(name) != std::string::npos; });
}

}  // namespace

std::optional<proto::Error> too_large(std::string_view text, const std::string& file_name, const std::string& what,
                                      const std::string& hint) {
  if (text.size() <= kLargest) return std::nullopt;
  proto::Error error;
  error.kind = ErrorKind::too_large;
  error.message = fmt::format("{} has {}, and no {} is larger than {}", file_name, base::human_bytes(text.size()), what,
                              base::human_bytes(kLargest));
  error.hint = hint;
  return error;
}

std::optional<YAML::Node> DocumentCheck::check(const Schema& schema, const std::string& what_it_has) {
  YAML::Node root;
  try {
    const auto documents = YAML::LoadAll(std::string(source_.text()));
    if (documents.size() > 1)
      complain(documents[1].Mark(), "there is a second document", "remove the \"---\" above it");
    if (!documents.empty()) root = documents.front();
  } catch (const YAML::Exception& error) {
    complain(error.mark, "this is no YAML: " + base::printable(error.msg),
             "look at the indentation, and quote what has \": \" or \" #\" in it");
    return std::nullopt;
  }
  if (!root.IsDefined() || root.IsNull()) {
    complain(root.Mark(), "there is nothing in it", "it has " + what_it_has);
    return std::nullopt;
  }
  value(root, schema, "");
  return gave_up_ || !root.IsMap() ? std::nullopt : std::optional(root);
}

// One value.

void DocumentCheck::value(const YAML::Node& node, const Schema& schema, const std::string& path) {
  if (gave_up_) return;
  if (++values_ > kMostValues) {
    gave_up_ = true;
    complain(node.Mark(), fmt::format("aliases make more than {} values of this", kMostValues),
             "write out what is meant");
    return;
  }
  if (schema.kind == Kind::any) return;
  if (node.IsNull()) return empty(node, schema, path);
  switch (schema.kind) {
    case Kind::text:
      return text_value(node, schema, path);
    case Kind::texts:
      if (!node.IsSequence()) return text_value(node, schema, path);
      return list(node, {.kind = Kind::list, .each = {Schema{.kind = Kind::text}}}, path);
    case Kind::boolean:
      return boolean(node, path);
    case Kind::integer:
      return integer(node, schema, path);
    case Kind::list:
      return list(node, schema, path);
    case Kind::map:
    case Kind::object:
    case Kind::stages:
      return keys(node, schema, path);
    case Kind::any:
      return;
  }
}

void DocumentCheck::empty(const YAML::Node& node, const Schema& schema, const std::string& path) {
  const bool is_one_value = schema.kind == Kind::text || schema.kind == Kind::texts || schema.kind == Kind::boolean ||
                            schema.kind == Kind::integer;
  if (is_one_value) {
    complain(node.Mark(), path + " has no value",
             "\"#\" begins a comment: quote a value that begins with it, or remove the key");
  } else {
    suspect(node.Mark(), path + " is empty", "remove it, or indent what belongs to it");
  }
}

void DocumentCheck::text_value(const YAML::Node& node, const Schema& schema, const std::string& path) {
  if (!node.IsScalar()) {
    complain(node.Mark(), fmt::format("{} is one text, not a {}", path, node.IsSequence() ? "list" : "map"),
             node.IsSequence() ? "write it without \"- \"" : "write it behind the colon");
    return;
  }
  const std::string& given = node.Scalar();
  check_certificate(node, path, given);
  const auto shown = [&] { return schema.is_secret ? std::string("it") : "\"" + base::printable(given) + "\""; };
  if (!schema.choices.empty() &&
      std::find(schema.choices.begin(), schema.choices.end(), given) == schema.choices.end()) {
    std::string hint = base::did_you_mean(given, schema.choices);
    if (hint.empty()) hint = "it may be " + base::join(schema.choices, ", ");
    complain(node.Mark(), fmt::format("{} cannot be {}", path, shown()), hint);
  }
  if (!schema.pattern.empty() && !std::regex_match(given.substr(0, kLongestMatched), std::regex(schema.pattern))) {
    complain(node.Mark(), fmt::format("{} cannot be {}", path, shown()), "such as " + schema.example);
  }
}

void DocumentCheck::boolean(const YAML::Node& node, const std::string& path) {
  const bool is_plain = node.IsScalar() && node.Tag() != "!";
  if (is_plain && (node.Scalar() == "true" || node.Scalar() == "false")) return;
  const bool is_quoted = node.IsScalar() && !is_plain;
  complain(node.Mark(), path + " is true or false", is_quoted ? "write it without quotes" : "");
}

void DocumentCheck::integer(const YAML::Node& node, const Schema& schema, const std::string& path) {
  int number = 0;
  bool is_number = node.IsScalar();
  if (is_number) {
    const std::string& given = node.Scalar();
    const auto [end, bad] = std::from_chars(given.data(), given.data() + given.size(), number);
    is_number = bad == std::errc() && end == given.data() + given.size();
  }
  if (!is_number) {
    complain(node.Mark(), path + " is a whole number", "");
  } else if (number < schema.least || (schema.most != 0 && number > schema.most)) {
    complain(node.Mark(), path + " is out of its range",
             schema.most == 0 ? fmt::format("at least {}", schema.least)
                              : fmt::format("{} to {}", schema.least, schema.most));
  }
}

void DocumentCheck::list(const YAML::Node& node, const Schema& schema, const std::string& path) {
  if (!node.IsSequence()) {
    complain(node.Mark(), path + " is a list",
             node.IsMap() ? "begin each of its entries with \"- \"" : "write it as \"- value\"");
    return;
  }
  std::size_t index = 0;
  for (const auto& each : node) value(each, schema.each.front(), fmt::format("{}[{}]", path, index++));
}

// Keys.

void DocumentCheck::keys(const YAML::Node& node, const Schema& schema, const std::string& path) {
  if (!node.IsMap()) {
    complain(node.Mark(), (path.empty() ? "this" : path) + " is a map of keys",
             "write its keys below it, as \"key: value\"");
    return;
  }
  std::set<std::string> seen;
  for (const auto& pair : node) {
    if (!pair.first.IsScalar()) {
      complain(pair.first.Mark(), "a key is one text", "");
      continue;
    }
    const std::string& name = pair.first.Scalar();
    if (!seen.insert(name).second) {
      complain(pair.first.Mark(), fmt::format("\"{}\" is there twice", base::printable(name)),
               "only one of them would count");
    }
    one_key(pair.first, pair.second, schema, path);
  }
  for (const auto& field : schema.fields) {
    if (field.is_required && !seen.contains(field.name)) {
      complain(node.Mark(), fmt::format("{} has no \"{}\"", path.empty() ? "this" : path, field.name), "");
    }
  }
}

void DocumentCheck::one_key(const YAML::Node& key, const YAML::Node& given, const Schema& schema,
                            const std::string& path) {
  const std::string& name = key.Scalar();
  const std::string below = path.empty() ? base::printable(name) : path + "." + base::printable(name);
  if (schema.kind == Kind::map) return value(given, schema.each.front(), below);
  if (schema.kind == Kind::stages) {
    if (!is_stage(name)) {
      const std::string hint = base::did_you_mean(name, stage_names());
      complain(key.Mark(), fmt::format("there is no stage \"{}\"", base::printable(name)),
               hint.empty() ? "there are " + base::join(stage_names(), ", ") : hint);
      return;
    }
    if (given.IsNull()) return empty(given, schema.each.front(), below);
    const Schema steps{.kind = Kind::list, .each = schema.each};
    return value(given, steps, below);
  }
  const auto field =
      std::find_if(schema.fields.begin(), schema.fields.end(), [&](const Schema& each) { return each.name == name; });
  if (field != schema.fields.end()) return value(given, *field, below);
  unknown_key(key, schema, path, below);
}

void DocumentCheck::unknown_key(const YAML::Node& key, const Schema& schema, const std::string& path,
                                const std::string& below) {
  const std::string& name = key.Scalar();
  if (path.empty() && is_stage(name)) {
    complain(key.Mark(), fmt::format("\"{}\" is a stage", base::printable(name)), "indent it below \"stages:\"");
    return;
  }
  std::vector<std::string> names;
  for (const auto& field : schema.fields) names.push_back(field.name);
  const std::string hint = base::did_you_mean(name, names);
  if (hint.empty()) {
    suspect(key.Mark(), below + " is not known", "there are " + base::join(names, ", "));
  } else {
    complain(key.Mark(), below + " is not known", hint);
  }
}

void DocumentCheck::check_certificate(const YAML::Node& node, const std::string& path, const std::string& given) {
  if (given.find("-----BEGIN") == std::string::npos) return;
  static const std::regex kMarker("-----(BEGIN|END) [A-Z0-9 ]+-----");
  for (const auto& line : base::split(given, '\n')) {
    const std::string trimmed(base::trim(line));
    const bool is_marker = trimmed.find("--BEGIN") != std::string::npos || trimmed.find("--END") != std::string::npos;
    if (!is_marker || trimmed.size() > kLongestMatched || std::regex_match(trimmed, kMarker)) continue;
    complain(node.Mark(),
             fmt::format("{}: \"{}\" is no line that begins or ends a certificate", path, base::printable(trimmed)),
             "it has five dashes on each side: -----BEGIN CERTIFICATE-----");
  }
}

// Telling.

void DocumentCheck::complain(const YAML::Mark& mark, std::string message, std::string hint) {
  add(findings_.errors, mark.is_null() ? 0 : static_cast<std::size_t>(mark.pos), std::move(message), std::move(hint));
}

void DocumentCheck::suspect(const YAML::Mark& mark, std::string message, std::string hint) {
  add(findings_.warnings, mark.is_null() ? 0 : static_cast<std::size_t>(mark.pos), std::move(message), std::move(hint));
}

void DocumentCheck::add(std::vector<proto::Error>& list, std::size_t offset, std::string message, std::string hint) {
  proto::Error error;
  error.kind = ErrorKind::invalid;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.position = source_.position(std::min(offset, source_.text().size()));
  if (may_be_secret(error.position->source_line)) error.position->source_line.clear();
  list.push_back(std::move(error));
}

}  // namespace ingot::edge
