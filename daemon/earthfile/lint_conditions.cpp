#include <algorithm>
#include <optional>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/lint_rules.h"

// Conditions whose answer does not depend on what they ask about.
namespace ingot::earthfile {

namespace {

const std::set<std::string>& unary_operators() {
  static const std::set<std::string> kAll = {"-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-n",
                                             "-p", "-r", "-s", "-t", "-u", "-w", "-x", "-z", "-L",
                                             "-S", "-O", "-G", "-a", "-N", "-o", "-v", "-R"};
  return kAll;
}

const std::set<std::string>& binary_operators() {
  static const std::set<std::string> kAll = {"=",   "==",  "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt",
                                             "-ot", "-ef", "-a", "-o",  "<",   ">",   "\\<", "\\>", "=~"};
  return kAll;
}

struct TestWord {
  std::string text;
  Place place;
  bool literal = false;    // neither quotes nor anything that the shell replaces
  bool one_field = false;  // one argument of `[`, whatever variables hold
};

TestWord test_word(const Word& word) {
  TestWord out{word.text, word.place, word.text.find_first_of("$`\"'\\*?[~{<>|&;()") == std::string::npos, false};
  const bool quoted = word.text.size() >= 2 && word.text.front() == '"' && word.text.back() == '"' &&
                      word.text.find('"', 1) == word.text.size() - 1 && word.text.find("$@") == std::string::npos &&
                      word.text.find("[@]") == std::string::npos && word.text.find("{@") == std::string::npos;
  out.one_field = out.literal || quoted;
  return out;
}

// A word whose value is known: a literal, perhaps in double quotes.
std::optional<std::string> value_of(const TestWord& word) {
  if (word.literal) return word.text;
  if (!word.one_field || word.text.find_first_of("$`\\") != std::string::npos) return std::nullopt;
  return word.text.substr(1, word.text.size() - 2);
}

struct Verdict {
  const TestWord* at;
  std::string message;
  std::string hint;
};

// What stands between `[` and `]`. None: it may be true.
std::optional<Verdict> never_true(const std::vector<TestWord>& words) {
  const bool certain = std::all_of(words.begin(), words.end(), [](const TestWord& word) { return word.one_field; });
  if (words.empty()) return std::nullopt;
  if (!certain) return std::nullopt;
  const TestWord& first = words.front();
  if (words.size() == 2) {
    if (first.literal && first.text != "!" && !unary_operators().contains(first.text)) {
      const std::string hint = first.text.starts_with('!')
                                   ? "write ! " + first.text.substr(1) + ", with a space between"
                                   : "such as -n, -z, -f or -d";
      return Verdict{&first,
                     "\"" + first.text + "\" is no operator of [, so that this is false whatever it is asked of", hint};
    }
    const auto operand = value_of(words[1]);
    if (operand && first.text == "-n" && operand->empty()) return Verdict{&first, "-n of nothing is never true", ""};
    if (operand && first.text == "-z" && !operand->empty()) {
      return Verdict{&first, "-z of a text that is not empty is never true", "is a $ missing?"};
    }
  }
  if (words.size() == 3 && first.text != "!" && first.text != "(") {
    const TestWord& op = words[1];
    if (op.literal && !binary_operators().contains(op.text)) {
      return Verdict{&op, "\"" + op.text + "\" is no operator of [, so that this is false whatever it is asked of",
                     "such as =, != or -eq"};
    }
    const auto left = value_of(first);
    const auto right = value_of(words[2]);
    if (left && right && (op.text == "=" || op.text == "==") && *left != *right) {
      return Verdict{&first, "these two texts are never equal", "is a $ missing?"};
    }
    if (left && right && op.text == "!=" && *left == *right) {
      return Verdict{&first, "these two texts are always equal, so that this is never true", "is a $ missing?"};
    }
  }
  return std::nullopt;
}

void lint_test(const std::vector<Word>& words, std::size_t begin, std::size_t end, Findings& findings) {
  if (begin >= end || words[begin].text != "[") return;
  const Word& last = words[end - 1];
  if (last.text != "]") {
    // Something must be glued to it; with more than this one test, whose it is would be a guess.
    const bool glued = last.text.size() > 1 && last.text.ends_with(']') && !last.text.ends_with("]]");
    if (!glued) return;
    findings.add(
        "false-condition", last.place.plus(last.text.size() - 1),
        "this ] closes nothing, since it is a part of the word before it: the test does not ask what it seems to",
        "put a space before the ]");
    return;
  }
  std::vector<TestWord> inner;
  for (std::size_t i = begin + 1; i + 1 < end; ++i) inner.push_back(test_word(words[i]));
  if (const auto verdict = never_true(inner)) {
    findings.add("false-condition", verdict->at->place, verdict->message, verdict->hint);
  }
}

// Of tests that && joins each must be true; anything else is left to the shell.
void lint_condition(const std::vector<Word>& words, Findings& findings) {
  static const std::set<std::string> kOthers = {"||", ";", "|", "!", "&"};
  for (const Word& word : words) {
    if (kOthers.contains(word.text) && &word != &words.back() && word.text != "!") return;
    if (word.text.ends_with(';') || word.text.find('`') != std::string::npos) return;
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= words.size(); ++i) {
    if (i < words.size() && words[i].text != "&&") continue;
    lint_test(words, begin, i, findings);
    begin = i + 1;
  }
}

}  // namespace

void lint_conditions(const File& file, Findings& findings) {
  for_each_command(file, [&](const Command& command) {
    if (command.name != "IF" && command.name != "ELSE IF") return;
    const std::size_t first = first_word_behind_flags(command, {"--mount", "--secret"});
    lint_condition({command.words.begin() + static_cast<std::ptrdiff_t>(first), command.words.end()}, findings);
  });
}

}  // namespace ingot::earthfile
