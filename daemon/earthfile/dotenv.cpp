#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/expand.h"
#include "daemon/text/source.h"

namespace ingot::earthfile {

namespace {

using Values = std::map<std::string, std::string>;

bool name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

// `$UPPER` and `${UPPER}` from the keys above; other names stay as they are.
std::string expand_upper(const std::string& text, const Values& values) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size() && expanded.size() <= kLongestValue; ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '$') {
      expanded += text[++i];
      continue;
    }
    const bool braced = text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{';
    std::size_t end = i + (braced ? 2 : 1);
    const std::size_t start = end;
    auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); };
    while (text[i] == '$' && end < text.size() && upper(text[end])) ++end;
    if (text[i] != '$' || end == start || (braced && (end == text.size() || text[end] != '}'))) {
      expanded += text[i];
      continue;
    }
    auto found = values.find(text.substr(start, end - start));
    if (found != values.end()) expanded += found->second;
    i = braced ? end : end - 1;
  }
  return expanded;
}

// A value between quotes, from the opening one on; `rest` is left at what follows the closing one.
Result<std::string> read_quoted(std::string_view& rest, const Values& values) {
  const char quote = rest.front();
  std::string inside;
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != quote; ++at) {
    const bool escape = quote == '"' && rest[at] == '\\' && at + 1 < rest.size();
    if (!escape) {
      inside += rest[at];
      continue;
    }
    const char next = rest[++at];
    inside += next == 'n' ? "\n" : next == '$' ? "\\$" : std::string(1, next);
  }
  if (at >= rest.size()) return base::fail(ErrorKind::syntax, "the quote is never closed", "close it on the same line");
  rest.remove_prefix(at + 1);
  return quote == '"' ? expand_upper(inside, values) : inside;
}

// The value behind "NAME=": quoted up to its closing quote, else up to a "#" behind white space or the line's end.
Result<std::string> read_value(std::string_view rest, const Values& values) {
  rest = base::trim(rest);
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
    INGOT_TRY(auto value, read_quoted(rest, values));
    rest = base::trim(rest);
    if (rest.empty() || rest.front() == '#') return value;
    return base::fail(ErrorKind::syntax, "there is something behind the closing quote",
                      "put all of the value between the quotes, or escape the inner ones: \\\"");
  }
  std::size_t end = rest.find('#');
  while (end != std::string_view::npos && end > 0 && rest[end - 1] != ' ' && rest[end - 1] != '\t') {
    end = rest.find('#', end + 1);
  }
  return expand_upper(std::string(base::trim(rest.substr(0, end))), values);
}

// One "NAME=value", and the name; errors are without position.
Result<std::string> read_line(std::string_view line, Values& values) {
  if (!base::is_valid_utf8(line)) {
    return base::fail(ErrorKind::syntax, "this line is not UTF-8", "save the file as UTF-8");
  }
  if (line.starts_with("export ")) line = base::trim(line.substr(7));
  std::size_t end = 0;
  while (end < line.size() && name_character(line[end])) ++end;
  const std::string name(line.substr(0, end));
  const std::string_view rest = base::trim(line.substr(end));
  if (name.empty() || rest.empty() || (rest.front() != '=' && rest.front() != ':')) {
    return base::fail(ErrorKind::syntax, "this line is no NAME=value", "comments begin with \"#\"");
  }
  INGOT_TRY(auto value, read_value(rest.substr(1), values));
  if (value.size() > kLongestValue) {
    return base::fail(ErrorKind::too_large, "this value is longer than " + base::human_bytes(kLongestValue),
                      "put long texts into a file of the project");
  }
  values[name] = std::move(value);
  return name;
}

}  // namespace

Result<std::vector<DotenvEntry>> parse_dotenv_entries(std::string_view text, const std::string& file_name) {
  const Source source(text, file_name);
  text = source.text();
  Values values;
  std::vector<DotenvEntry> entries;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = base::trim(text.substr(start, end - start));
    if (!line.empty() && line.front() != '#') {
      const auto position = [&] { return source.position(static_cast<std::size_t>(line.data() - text.data())); };
      const auto name = read_line(line, values);
      if (!name) {
        Error error = name.error();
        error.position = position();
        return base::fail(std::move(error));
      }
      entries.push_back({*name, values[*name], position()});
    }
    start = end + 1;
  }
  return entries;
}

Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, const std::string& file_name) {
  INGOT_TRY(auto entries, parse_dotenv_entries(text, file_name));
  Values values;
  for (auto& entry : entries) values[entry.name] = std::move(entry.value);
  return values;
}

}  // namespace ingot::earthfile
