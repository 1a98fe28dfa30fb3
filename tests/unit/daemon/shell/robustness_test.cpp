#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "daemon/shell/shell.h"

// Whatever the text is, it ends, soon. The seed is fixed: a failure can be repeated.
namespace ingot::shell {
namespace {

constexpr std::size_t kLongestValue = (128U << 10) - 1;

std::optional<std::string> value_of(const std::string& name) {
  if (name == "X") return "a b";
  if (name == "E") return "";
  if (name == "LONG") return std::string(1024, 'a');
  if (name == "BIG") return std::string(kLongestValue, 'a');
  return std::nullopt;
}

void ask(const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  for (const Shell shell : {Shell::dash, Shell::bash, Shell::busybox}) (void)answer_of(shell, text, value_of);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  // With sanitizers, on a busy machine; by itself nothing of all this takes longer than 0.2 s.
  EXPECT_LT(took.count(), 5) << text.substr(0, 100);
}

std::string repeated(const std::string& piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  return text;
}

TEST(ShellRobustness, any_bytes_are_taken) {
  const std::vector<std::string> pieces = {
      "[ ", " ]",  "[[ ", " ]]", "$X",   "\"",    "'", "\\", "${",    "}",   ":-", "(",  ")",     " ", " && ",  " || ",
      "! ", "-z ", " = ", "==",  "=~ ",  " -eq ", "#", "%",  "*",     "[a-", "^",  "|",  "${#X}", "$", "\n",    "\x80",
      "`",  ";",   "a",   "1",   " -a ", "\t",    "~", "{",  "${E:-", "+",   "?",  "$1", "<",     "&", "test ", "true"};
  std::mt19937 random(20260402);
  for (int i = 0; i < 60'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 24; n > 0; --n) {
      text += random() % 20 == 0 ? std::string(1, static_cast<char>(random())) : pieces[random() % pieces.size()];
    }
    ask(text);
  }
}

TEST(ShellRobustness, nesting_and_length_are_bounded) {
  const std::vector<std::string> starts = {"", "[ ", "[[ ", "[[ a =~ ", "true && "};
  const std::vector<std::string> pieces = {"(",   "${E:-", "! ",   "\\( ", "\"",         "'",         "\\",
                                           "[[ ", "a=",    "$BIG", "((",   "[ a ",       "true && ",  "a -a ",
                                           "*",   "(a",    "|",    "[",    "a == a && ", "${BIG%%a*}"};
  for (const std::string& start : starts) {
    for (const std::string& piece : pieces) {
      for (const std::size_t size : {std::size_t{100}, std::size_t{16'000}, std::size_t{1} << 17}) {
        ask(start + repeated(piece, size));
        ask(start + repeated(piece, size) + " ]]");
        ask(start + repeated(piece, size) + " ]");
      }
    }
  }
}

TEST(ShellRobustness, matching_takes_no_more_than_its_time) {
  ask("[[ $BIG == " + repeated("*a", 240) + "b ]]");
  for (const char* regex : {"a?", ".*a", "(a|aa)?", "[ab]*b?", "(a?|b|a)"}) {
    ask("[[ $LONG =~ " + repeated(regex, 120) + "b ]]");
    ask("[[ $BIG =~ " + repeated(regex, 120) + "b ]]");
  }
  ask("[ " + repeated("${BIG##*ab}", 15'000) + " ]");
}

}  // namespace
}  // namespace ingot::shell
