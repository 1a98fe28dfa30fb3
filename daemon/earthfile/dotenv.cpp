#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

namespace {

using Values = std::map<std::string, std::string>;

bool name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

tl::unexpected<Error> fail_in(const std::string& file, int line, const std::string& text, std::string message,
                              std::string hint) {
  return base::fail(
      Error{ErrorKind::syntax, std::move(message), std::move(hint), proto::Position{file, line, 0, text}, {}});
}

// `$UPPER` and `${UPPER}` from the keys above; other names stay as they are.
std::string expand_upper(const std::string& text, const Values& values) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
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

// The value behind "NAME=": quoted up to its closing quote, else up to a " #" or the line's end.
Result<std::string> read_value(std::string_view rest, const Values& values) {
  rest = base::trim(rest);
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
    const char quote = rest.front();
    std::string inside;
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != quote; ++at) {
      const bool escape = quote == '"' && rest[at] == '\\' && at + 1 < rest.size();
      if (escape && rest[at + 1] == 'n')
        inside += '\n';
      else if (escape && rest[at + 1] != '$')
        inside += rest[at + 1];
      else if (escape)
        inside += "\\$";
      else
        inside += rest[at];
      at += escape ? 1 : 0;
    }
    if (at >= rest.size()) return base::fail(ErrorKind::syntax, "the quote is never closed");
    return quote == '"' ? expand_upper(inside, values) : inside;
  }
  std::size_t comment = rest.find(" #");
  if (rest.starts_with('#')) comment = 0;
  return expand_upper(std::string(base::trim(rest.substr(0, comment))), values);
}

}  // namespace

Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, const std::string& file_name) {
  Values values;
  int number = 0;
  for (const auto& raw : base::split(text, '\n')) {
    ++number;
    std::string_view line = base::trim(raw);
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = base::trim(line.substr(7));
    std::size_t end = 0;
    while (end < line.size() && name_character(line[end])) ++end;
    const std::string name(line.substr(0, end));
    const std::string_view rest = base::trim(line.substr(end));
    if (name.empty() || rest.empty() || (rest.front() != '=' && rest.front() != ':')) {
      return fail_in(file_name, number, raw, "this line is no NAME=value", "comments begin with \"#\"");
    }
    auto value = read_value(rest.substr(1), values);
    if (!value) return fail_in(file_name, number, raw, value.error().message, "close it at the end of the value");
    values[name] = *value;
  }
  return values;
}

}  // namespace ingot::earthfile
