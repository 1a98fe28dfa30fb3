#include "daemon/shell/expansion.h"

#include "daemon/shell/characters.h"

namespace ingot::shell {

namespace {

using Operation = Parameter::Operation;

// `pattern` is text with at most one `*`, and that at its end (of a prefix: at its start) where it can eat something.
std::optional<std::string> without_prefix(const std::string& value, std::string_view pattern, bool longest) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return value.starts_with(pattern) ? value.substr(pattern.size()) : value;
  const std::string_view text = pattern.substr(1);
  if (star != 0 || text.find('*') != std::string_view::npos) return std::nullopt;
  const std::size_t found = longest ? value.rfind(text) : value.find(text);
  return found == std::string::npos ? value : value.substr(found + text.size());
}

std::optional<std::string> without_suffix(const std::string& value, std::string_view pattern, bool longest) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return value.ends_with(pattern) ? value.substr(0, value.size() - pattern.size()) : value;
  }
  if (star + 1 != pattern.size()) return std::nullopt;
  const std::string_view text = pattern.substr(0, star);
  const std::size_t found = longest ? value.find(text) : value.rfind(text);
  return found == std::string::npos ? value : value.substr(0, found);
}

// Splits runs into fields as it goes.
class Splitter {
 public:
  explicit Splitter(std::vector<std::string>& out) : out_(out) {}

  bool add(const Run& run) {
    if (run.origin == Run::Origin::quoted || run.origin == Run::Origin::escaped) {
      add_text(run.text);
      in_field_ = true;  // "" is a field
      return true;
    }
    for (const char c : run.text) {
      if (run.origin == Run::Origin::expanded) {
        if (is_blank(c)) {
          end_field();
          continue;
        }
        // bash 5.0 takes a backslash in a value for part of a pattern, other shells do not.
        if (c == '\\' || static_cast<unsigned char>(c) >= 0x80) return false;
      }
      if (could_match_files(c)) return false;
      field_ += c;
      in_field_ = true;
    }
    return true;
  }

  void end_field() {
    if (in_field_) out_.push_back(std::move(field_));
    field_.clear();
    in_field_ = false;
    bracket_is_open_ = false;
  }

 private:
  void add_text(std::string_view text) { field_ += text; }

  // A `[` that is never closed is no pattern: else `[` itself would be one.
  bool could_match_files(char c) {
    if (c == '[') bracket_is_open_ = true;
    return c == '*' || c == '?' || (c == ']' && bracket_is_open_);
  }

  std::vector<std::string>& out_;
  std::string field_;
  bool in_field_ = false;
  bool bracket_is_open_ = false;
};

}  // namespace

bool Expander::spend(std::size_t size) {
  if (size > budget_) return false;
  budget_ -= size;
  return true;
}

bool Expander::append_value(std::string value, Quoting quoting, std::vector<Run>& out) {
  if (!spend(value.size())) return false;
  out.push_back({quoting == Quoting::quoted ? Run::Origin::quoted : Run::Origin::expanded, std::move(value)});
  return true;
}

bool Expander::append_parameter(const Parameter& parameter, Quoting quoting, std::vector<Run>& out) {
  auto variable = environment_.variable(parameter.name);
  // Reading a value costs time, even where little is left of it.
  if (!variable || !spend(variable->value.size())) return false;
  const bool present = variable->set && !(parameter.empty_is_unset && variable->value.empty());
  const bool takes_operand = (parameter.operation == Operation::otherwise && !present) ||
                             (parameter.operation == Operation::instead && present);
  if (takes_operand) {
    for (const Part& part : parameter.operand) {
      if (!append_part(part, true, out)) return false;
    }
    return true;
  }
  if (parameter.operation == Operation::instead) return append_value("", quoting, out);
  if (parameter.operation == Operation::value || parameter.operation == Operation::otherwise) {
    return append_value(std::move(variable->value), quoting, out);
  }
  // A length is of bytes or of characters, and so is what a `*` may eat.
  if (!is_ascii(variable->value)) return false;
  if (parameter.operation == Operation::length) {
    return append_value(std::to_string(variable->value.size()), quoting, out);
  }
  const std::string pattern = parameter.operand.empty() ? "" : parameter.operand[0].text;
  auto rest = parameter.operation == Operation::drop_prefix
                  ? without_prefix(variable->value, pattern, parameter.longest)
                  : without_suffix(variable->value, pattern, parameter.longest);
  return rest && append_value(std::move(*rest), quoting, out);
}

bool Expander::append_part(const Part& part, bool inside_braces, std::vector<Run>& out) {
  if (part.parameter) return append_parameter(*part.parameter, part.quoting, out);
  if (inside_braces) return append_value(part.text, part.quoting, out);
  if (!spend(part.text.size())) return false;
  const Run::Origin origin = part.quoting == Quoting::none      ? Run::Origin::written
                             : part.quoting == Quoting::escaped ? Run::Origin::escaped
                                                                : Run::Origin::quoted;
  out.push_back({origin, part.text});
  return true;
}

std::optional<std::vector<Run>> Expander::runs(const Word& word) {
  std::vector<Run> out;
  for (const Part& part : word.parts) {
    if (!append_part(part, false, out)) return std::nullopt;
  }
  return out;
}

std::optional<std::vector<std::string>> Expander::fields(const std::vector<Word>& words) {
  std::vector<std::string> out;
  Splitter splitter(out);
  for (const Word& word : words) {
    const auto expanded = runs(word);
    if (!expanded) return std::nullopt;
    for (const Run& run : *expanded) {
      if (!splitter.add(run)) return std::nullopt;
    }
    splitter.end_field();
  }
  return out;
}

std::string text_of(const std::vector<Run>& runs) {
  std::string text;
  for (const Run& run : runs) text += run.text;
  return text;
}

}  // namespace ingot::shell
