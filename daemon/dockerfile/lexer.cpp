#include "daemon/dockerfile/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/dockerfile/words.h"
#include "daemon/text/fail_at.h"

namespace ingot::dockerfile {

namespace {

struct Directive {
  std::string name;  // in lower case
  std::string_view value;
};

// "# name = value".
std::optional<Directive> directive_of(std::string_view line) {
  line = base::trim(line);
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Directive directive{std::string(base::trim(line.substr(0, equals))), base::trim(line.substr(equals + 1))};
  for (char& c : directive.name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 3> kKnown = {"syntax", "escape", "check"};
  if (std::find(kKnown.begin(), kKnown.end(), directive.name) == kKnown.end()) return std::nullopt;
  return directive;
}

bool takes_heredocs(std::string_view line) {
  constexpr std::array<std::string_view, 3> kNames = {"RUN", "COPY", "ADD"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    return line.size() > name.size() && is_blank(line[name.size()]) && base::starts_with_ci(line, name);
  });
}

// "<<NAME", "<<-NAME", "3<<'NAME'": none when the word is anything else.
std::optional<Heredoc> heredoc_of(std::string_view word, std::size_t& begin) {
  begin = 0;
  while (begin < word.size() && std::isdigit(static_cast<unsigned char>(word[begin])) != 0) ++begin;
  if (!word.substr(begin).starts_with("<<")) return std::nullopt;
  Heredoc heredoc;
  std::size_t at = begin + 2;
  heredoc.strips_tabs = word.substr(at).starts_with('-');
  if (heredoc.strips_tabs) ++at;
  const char quote = at < word.size() && (word[at] == '"' || word[at] == '\'') ? word[at] : '\0';
  if (quote != '\0') {
    const std::size_t end = word.find(quote, at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    heredoc.name = std::string(word.substr(at + 1, end - at - 1));
    heredoc.expands = false;
  } else {
    if (at >= word.size() || !begins_name(word[at])) return std::nullopt;
    heredoc.name = std::string(word.substr(at, word.find_first_of("<>|&;()\"'", at) - at));
  }
  if (heredoc.name.empty()) return std::nullopt;
  return heredoc;
}

}  // namespace

Place Line::place_of(std::size_t offset) const {
  auto behind = std::upper_bound(parts_.begin(), parts_.end(), std::pair(offset, ~std::size_t{0}));
  if (behind == parts_.begin()) return {source_, 0};
  const auto& [here, there] = *std::prev(behind);
  return {source_, there + (offset - here)};
}

void Line::add(std::string_view text, std::size_t offset) {
  parts_.emplace_back(text_.size(), offset);
  text_ += text;
}

std::string_view Lexer::take_line(std::size_t& begin) {
  begin = at_;
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  at_ = std::min(end + 1, text_.size());
  std::string_view line = text_.substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Status Lexer::directives() {
  std::set<std::string> seen;
  while (at_ < text_.size()) {
    const std::size_t before = at_;
    std::size_t begin = 0;
    const std::string_view line = take_line(begin);
    const auto directive = directive_of(line);
    if (!directive) {
      at_ = before;
      return {};
    }
    const Place place{&source_, begin};
    if (!seen.insert(directive->name).second) {
      return text::fail_at(place, ErrorKind::syntax, "there are two directives \"" + directive->name + "\"",
                           "leave one of them out");
    }
    if (directive->name != "escape") continue;
    if (directive->value != "\\" && directive->value != "`") {
      return text::fail_at(place, ErrorKind::syntax,
                           "escape is \\ or `, not \"" + base::printable(directive->value) + "\"", "# escape=`");
    }
    escape_ = directive->value.front();
  }
  return {};
}

// Whether the next line belongs to this one too; what says so is cut off.
bool Lexer::goes_on(std::string_view& text) const {
  std::size_t end = text.size();
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
  if (end == 0 || text[end - 1] != escape_) return false;
  if (end > 1 && text[end - 2] == escape_) return false;
  text = text.substr(0, end - 1);
  return true;
}

Result<bool> Lexer::next(Line& line) {
  line = Line(source_);
  bool is_first = true;
  while (at_ < text_.size()) {
    std::size_t begin = 0;
    std::string_view text = take_line(begin);
    const auto start = std::find_if_not(text.begin(), text.end(), is_blank);
    if (start == text.end() || *start == '#') continue;
    const std::size_t indent = is_first ? static_cast<std::size_t>(start - text.begin()) : 0;
    text.remove_prefix(indent);
    is_first = false;
    const bool more = goes_on(text);
    line.add(text, begin + indent);
    if (!more) break;
  }
  if (is_first) return false;
  while (!line.text_.empty() && is_blank(line.text_.back())) line.text_.pop_back();
  if (takes_heredocs(line.text_)) INGOT_CHECK(take_heredocs(line));
  return true;
}

Status Lexer::take_heredocs(Line& line) {
  if (line.text_.find("<<") == std::string::npos) return {};
  for (const Range& word : cut_words(line.text_, escape_)) {
    std::size_t begin = 0;
    auto heredoc = heredoc_of(std::string_view(line.text_).substr(word.begin, word.end - word.begin), begin);
    if (!heredoc) continue;
    heredoc->place = line.place_of(word.begin + begin);
    INGOT_CHECK(take_heredoc(*heredoc));
    line.heredocs.push_back(std::move(*heredoc));
  }
  return {};
}

Status Lexer::take_heredoc(Heredoc& heredoc) {
  const std::size_t start = at_;
  while (at_ < text_.size()) {
    std::size_t begin = 0;
    std::string_view line = take_line(begin);
    if (heredoc.strips_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == heredoc.name) {
      heredoc.content = std::string(text_.substr(start, begin - start));
      return {};
    }
  }
  return text::fail_at(heredoc.place, ErrorKind::syntax,
                       "the heredoc <<" + base::printable(heredoc.name) + " is never closed",
                       "a line that is " + base::printable(heredoc.name) + " and nothing else closes it");
}

}  // namespace ingot::dockerfile
