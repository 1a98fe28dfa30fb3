#include "daemon/dockerfile/instruction_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/dockerfile/words.h"
#include "daemon/text/fail_at.h"

namespace ingot::dockerfile {

namespace {

// ["a", "b"]; none for any other text.
std::optional<std::vector<std::string>> exec_form(const std::string& text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& word : json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

// "--name=value" with its quotes gone.
std::string without_quotes(std::string_view text, char escape) {
  std::string bare;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      // What is escaped is left so for whoever expands the value.
      bare += c;
      bare += text[++i];
    } else if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
      quote = quote == '\0' ? c : '\0';
    } else {
      bare += c;
    }
  }
  return bare;
}

}  // namespace

tl::unexpected<Error> InstructionParser::fail_here(std::size_t offset, std::string message, std::string hint) const {
  return text::fail_at(line_.place_of(offset), ErrorKind::syntax, std::move(message), std::move(hint));
}

Word InstructionParser::word(std::size_t begin, std::size_t end) const {
  return {line_.text().substr(begin, end - begin), line_.place_of(begin)};
}

void InstructionParser::skip_blanks() {
  while (at_ < line_.text().size() && is_blank(line_.text()[at_])) ++at_;
}

Result<const InstructionInfo*> InstructionParser::take_name() {
  while (at_ < line_.text().size() && !is_blank(line_.text()[at_])) ++at_;
  const std::string name = base::to_upper(line_.text().substr(0, at_));
  const InstructionInfo* info = find_instruction(name);
  if (info != nullptr) return info;
  constexpr std::size_t kLongestShown = 40;
  return fail_here(0, "\"" + base::printable(name.substr(0, kLongestShown)) + "\" is no instruction of Dockerfiles",
                   name.size() > kLongestShown ? "" : base::did_you_mean(name, instruction_names()));
}

Status InstructionParser::take_flags(const InstructionInfo& info) {
  if (info.flags.empty()) return {};
  const std::string& text = line_.text();
  while (text.compare(at_, 2, "--") == 0) {
    const std::size_t end = end_of_word(text, escape_, at_);
    if (end - at_ > 2) INGOT_CHECK(take_flag(info, end));
    const bool is_end = end - at_ == 2;  // "--" alone ends them
    at_ = end;
    skip_blanks();
    if (is_end) break;
  }
  return {};
}

Status InstructionParser::take_flag(const InstructionInfo& info, std::size_t end) {
  const std::string_view flag = std::string_view(line_.text()).substr(at_ + 2, end - at_ - 2);
  const std::size_t equals = std::min(flag.find('='), flag.size());
  Flag made{std::string(flag.substr(0, equals)), "true", line_.place_of(at_)};
  if (equals < flag.size()) made.value = without_quotes(flag.substr(equals + 1), escape_);
  if (std::find(info.flags.begin(), info.flags.end(), made.name) == info.flags.end()) {
    std::vector<std::string> known;
    for (const auto& name : info.flags) known.push_back("--" + std::string(name));
    std::string hint = base::did_you_mean("--" + made.name, known);
    if (hint.empty()) hint = "it has " + base::join(known, ", ");
    return fail_here(at_, made_.name + " has no flag --" + base::printable(made.name), hint);
  }
  if (equals == flag.size() && made.name != "link" && made.name != "parents" && made.name != "keep-git-dir" &&
      made.name != "unpack") {
    return fail_here(at_, "--" + made.name + " needs a value", "--" + made.name + "=...");
  }
  made_.flags.push_back(std::move(made));
  return {};
}

// HEALTHCHECK: flags, then CMD and a command, or NONE. Of the command there are words; of NONE there are none.
Status InstructionParser::take_health_test() {
  const std::size_t begin = at_;
  at_ = end_of_word(line_.text(), escape_, at_);
  const std::string kind = base::to_upper(line_.text().substr(begin, at_ - begin));
  skip_blanks();
  const bool has_more = at_ < line_.text().size();
  if (kind == "CMD" ? has_more : kind == "NONE" && !has_more) return {};
  return fail_here(begin, "HEALTHCHECK is followed by CMD and a command, or by NONE",
                   "HEALTHCHECK --interval=30s CMD curl -f http://localhost/");
}

Status InstructionParser::take_arguments(const InstructionInfo& info) {
  made_.arguments = word(at_, line_.text().size());
  if (info.takes_exec_form) made_.exec = exec_form(made_.arguments.text);
  for (const Range& range : cut_words(line_.text(), escape_, at_)) {
    made_.words.push_back(word(range.begin, range.end));
  }
  return check_words(info);
}

Status InstructionParser::check_words(const InstructionInfo& info) const {
  if (info.kind == Kind::shell && (!made_.exec || made_.exec->empty())) {
    return fail_here(0, "SHELL takes a list of words in double quotes", std::string(info.form));
  }
  std::size_t words = made_.words.size();
  if (made_.exec && (info.kind == Kind::copy || info.kind == Kind::add)) words = made_.exec->size();
  if (made_.exec && info.kind == Kind::run && made_.exec->empty()) words = 0;
  if (words < info.least_words) {
    const bool needs_two = info.least_words == 2;
    return fail_here(0, made_.name + (needs_two ? " needs a source and a destination" : " needs more than its name"),
                     info.form.empty() ? "" : "such as " + std::string(info.form));
  }
  if (words > info.most_words) {
    return text::fail_at(
        made_.words[info.most_words].place, ErrorKind::syntax,
        fmt::format("{} takes no more than {} word{}", made_.name, info.most_words, info.most_words == 1 ? "" : "s"),
        "such as " + std::string(info.form));
  }
  return {};
}

// NAME=value NAME=value; ENV and LABEL also know NAME value, with all that follows as the value.
Status InstructionParser::take_pairs() {
  const bool is_arg = made_.kind == Kind::arg;
  const Word& first = made_.words.front();
  if (!is_arg && first.text.find('=') == std::string::npos) {
    if (made_.words.size() < 2) {
      return text::fail_at(first.place, ErrorKind::syntax,
                           made_.name + ": " + base::printable(first.text) + " has no value",
                           "write " + made_.name + " NAME=value");
    }
    const std::size_t offset = line_.text().size() - made_.arguments.text.size();
    std::size_t at = end_of_word(line_.text(), escape_, offset);
    while (is_blank(line_.text()[at])) ++at;
    made_.pairs.push_back({first, word(at, line_.text().size())});
    return {};
  }
  for (const Word& one : made_.words) {
    const std::size_t equals = one.text.find('=');
    if (equals == 0 || (!is_arg && equals == std::string::npos)) {
      return text::fail_at(
          one.place, ErrorKind::syntax, made_.name + " takes NAME=value, not \"" + base::printable(one.text) + "\"",
          one.text.starts_with('=') ? "write a name before the \"=\"" : "put a value with spaces into double quotes");
    }
    Pair pair{{one.text.substr(0, equals), one.place}, std::nullopt};
    if (equals != std::string::npos) pair.value = Word{one.text.substr(equals + 1), one.place.plus(equals + 1)};
    made_.pairs.push_back(std::move(pair));
  }
  return {};
}

Result<Instruction> InstructionParser::parse() {
  INGOT_TRY(const InstructionInfo* info, take_name());
  made_.kind = info->kind;
  made_.name = std::string(info->name);
  made_.text = line_.text();
  made_.place = line_.place_of(0);
  made_.heredocs = std::move(line_.heredocs);
  skip_blanks();
  INGOT_CHECK(take_flags(*info));
  if (info->kind == Kind::healthcheck) INGOT_CHECK(take_health_test());
  INGOT_CHECK(take_arguments(*info));
  if (info->kind == Kind::arg || info->kind == Kind::env || info->kind == Kind::label) INGOT_CHECK(take_pairs());
  return std::move(made_);
}

}  // namespace ingot::dockerfile
