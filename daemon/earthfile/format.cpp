#include "daemon/earthfile/format.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"
#include "daemon/earthfile/lexer.h"
#include "daemon/earthfile/print.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kIndent = 4;

std::string_view without_end(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// As the line's end has it in files from Windows; one of two is the text's own.
std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r') && !line.ends_with("\r\r")) line.remove_suffix(1);
  return line;
}

// The columns of the white space that a line begins with; a tab goes on to the next multiple of four.
std::size_t columns_before(std::string_view line) {
  std::size_t columns = 0;
  for (const char c : line) {
    if (c == '\t') {
      columns += kIndent - columns % kIndent;
    } else if (c == ' ') {
      ++columns;
    } else if (c != '\r') {
      break;
    }
  }
  return columns;
}

class Formatter {
 public:
  explicit Formatter(const Source& source) : text_(source.text()), lexer_(source) {}

  // The text must parse.
  Result<std::string> run() {
    Statement statement;
    while (true) {
      INGOT_TRY(bool more, lexer_.next(statement));
      const std::size_t first = more ? line_start(statement.begin) : text_.size();
      take_between(first);
      if (!more) break;
      write(statement);
      at_ = std::min(statement.end + 1, text_.size());
    }
    place_between(recipe_ ? kIndent : 0, true);
    return std::move(out_);
  }

 private:
  std::size_t line_start(std::size_t offset) const {
    const std::size_t before = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
    return before == std::string_view::npos ? 0 : before + 1;
  }

  // The comments and blank lines from here to the next statement: where they belong is known only with it.
  void take_between(std::size_t end) {
    while (at_ < end) {
      const std::size_t stop = std::min(text_.find('\n', at_), end);
      between_.push_back(text_.substr(at_, stop - at_));
      at_ = std::min(stop + 1, text_.size());
      if (stop == end) break;
    }
  }

  void blank_line() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += "\n";
  }
  void line(std::size_t columns, std::string_view text) {
    out_ += std::string(columns, ' ') + std::string(text) + "\n";
  }

  // Comments stand as far in as what follows them. Above a target those that were indented, and do not touch it, are
  // still of the recipe before.
  void place_between(std::size_t columns, bool at_end, bool above_header = false) {
    std::size_t of_recipe = 0;
    if (above_header || at_end) {
      for (std::size_t i = 0; i < between_.size(); ++i) {
        if (base::trim(between_[i]).empty() || at_end) of_recipe = i + 1;
      }
    }
    for (std::size_t i = 0; i < between_.size(); ++i) {
      const std::string_view text = base::trim(between_[i]);
      const bool inner = i < of_recipe && recipe_ && columns_before(between_[i]) > 0;
      const bool outer = (above_header || at_end) && !inner;
      if (text.empty()) {
        blank_line();
      } else {
        line(outer ? 0 : inner ? kIndent : columns, text);
      }
    }
    if (at_end) {
      while (out_.ends_with("\n\n")) out_.pop_back();
    }
    between_.clear();
  }

  void write(const Statement& statement) {
    const std::string& first = statement.words.front().text;
    const bool header = statement.words.size() == 1 && first.ends_with(':');
    std::string name = first;
    if (statement.words.size() > 1) {
      const std::string both = first + " " + statement.words[1].text;
      if (find_command(both) != nullptr) name = both;
    }
    const BlockRole role = header ? BlockRole::none : block_role(name);
    if (header) depth_ = 0;
    const std::size_t inner = (depth_ + (recipe_ ? 1 : 0)) * kIndent;
    const bool leaves = (role == BlockRole::closes || role == BlockRole::continues) && depth_ > 0;
    if (role == BlockRole::closes && depth_ > 0) --depth_;
    const std::size_t columns = header ? 0 : leaves ? inner - kIndent : inner;
    place_between(inner, false, header);
    if (role == BlockRole::opens) ++depth_;
    if (header) recipe_ = true;
    write_lines(statement, columns);
  }

  void write_lines(const Statement& statement, std::size_t columns) {
    const std::size_t start = line_start(statement.begin);
    const auto before = static_cast<std::ptrdiff_t>(columns_before(text_.substr(start, statement.begin - start)));
    const auto moved = static_cast<std::ptrdiff_t>(columns) - before;
    const auto kept = [&](std::size_t line_break) {
      return std::binary_search(statement.kept_breaks.begin(), statement.kept_breaks.end(), line_break);
    };
    out_ += std::string(columns, ' ');
    for (std::size_t at = statement.begin; at <= statement.end;) {
      const std::size_t stop = std::min(text_.find('\n', at), statement.end);
      const std::string_view raw = text_.substr(at, stop - at);
      const bool quoted = at != statement.begin && kept(at - 1);
      const bool continued = at != statement.begin && !quoted;
      // White space at an end has a meaning within quotes and within a parenthesis that is never closed.
      const bool last = stop == statement.end;
      std::string_view shown = !last && kept(stop) ? without_carriage_return(raw) : without_end(raw);
      const bool ends_in_word = last && statement.words_end > at + shown.size();
      if (ends_in_word) shown = raw.substr(0, statement.words_end - at);
      if (continued) {
        const auto there = std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(columns_before(raw)) + moved);
        shown.remove_prefix(std::min(shown.find_first_not_of(" \t\r"), shown.size()));
        if (shown.empty() && out_.ends_with("\n\n")) {
          at = stop + 1;
          continue;
        }
        if (!shown.empty()) out_ += std::string(std::max(static_cast<std::size_t>(there), columns + kIndent), ' ');
      }
      out_ += shown;
      if (ends_in_word && shown.ends_with('\r')) out_ += '\r';  // one of two is the line's end
      out_ += '\n';
      at = stop + 1;
    }
  }

  std::string_view text_;
  Lexer lexer_;
  std::size_t at_ = 0;
  std::vector<std::string_view> between_;
  std::string out_;
  std::size_t depth_ = 0;  // blocks that are open
  bool recipe_ = false;    // below the first target
};

}  // namespace

tl::expected<std::string, std::vector<Error>> format(std::string_view text, const std::string& file_name) {
  auto before = parse(text, file_name);
  if (!before) return tl::unexpected(before.error());
  auto formatted = Formatter(*before->source).run();
  if (!formatted) return tl::unexpected(std::vector<Error>{formatted.error()});
  // Whatever is wrong with what stands above, no file is harmed by it.
  const auto after = parse(*formatted, file_name);
  if (after && same_tree(*before, *after)) return *formatted;
  return tl::unexpected(
      std::vector<Error>{{ErrorKind::internal,
                          file_name + " would mean something else if it were formatted; it is left as it is",
                          "",
                          {},
                          {}}});
}

}  // namespace ingot::earthfile
