#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

namespace ingot::shell {

// --- what conditions are made of

inline const std::vector<std::string> kNames = {"A", "B", "C_1", "NONE", "FLAG"};

inline const std::vector<std::string> kOrdinaryValues = {
    "",      "true", "false", "ubuntu", "opensuse-leap", "amd64", "22",     "22.04", "0",
    "1",     "-1",   "010",   "v1.2.3", "k3s",           "a b",   "demo-1", "/usr",  "nvidia-jetson-agx-orin:v1",
    "1.30.2"};

inline const std::vector<std::string> kNastyValues = {
    "",    " ",      "a",     "b",    "ab",   "a b",  " a ", "a\nb",       "\t",
    "-",   "--",     "-n",    "-z",   "-f",   "-a",   "-o",  "-eq",        "!",
    "(",   ")",      "[",     "]",    "[[",   "]]",   "=",   "==",         "!=",
    "=~",  "true",   "false", "test", ":",    "0",    "1",   "-1",         "+1",
    "007", "08",     " 1",    "1 ",   "1x",   "x1",   "1.5", "2147483648", "99999999999999999999",
    "a*",  "?",      "[a]",   "a\\b", "\\",   "'",    "\"",  "''",         "a'b",
    "$A",  "${A",    "`",     "&&",   "||",   ";",    "#",   "~",          "{a,b}",
    "é",   "a.b",    "^a",    "a+",   "ab|c", "-x y", "]x",  "%",          "A",
    "é*",  "--help", "x=y",   "\r",   "1 = 1"};

inline const std::vector<std::string> kBinary = {"=", "=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};

inline const std::vector<std::string> kTokens = {
    "[",   "]",   "[[",  "]]",  "test", "!",     "&&", "||", "-a", "-o", "-z",    "-n",  "=", "==", "!=",  "=~",
    "-eq", "-lt", "\\(", "\\)", "true", "false", ":",  "(",  ")",  "-f", "\"(\"", "'!'", "#", "''", "\"\""};

inline const std::vector<std::string> kRegexes = {"ubuntu",   "\"ubuntu\"", "^v1",      "^v[0-9]+\\.[0-9]+",
                                                  "a.b",      "a\\.b",      "\"a.b\"",  "^(a|b)$",
                                                  "$A",       "\"$A\"",     "ab?",      "x*",
                                                  "[ab]+",    "[^a]",       "^a$",      "a|b",
                                                  "(a|b)?c$", "'a+'",       "+",        "a**",
                                                  "a{2}",     "^",          "$",        "\\w",
                                                  "(",        "[a-z]$",     "^[A-Z_]+$"};

inline const std::vector<std::string> kPatterns = {"a*",      "*b",  "\"a*\"", "a\\*",  "?b",    "*",
                                                   "\"$A\"*", "$A*", "$A",     "*a*b*", "[ab]*", "'*'"};

// --- and how

using Variables = std::map<std::string, std::string>;

struct Condition {
  std::string text;
  Variables variables;
};

// Makes conditions up: of the kind that Earthfiles have (`ordinary`), or with everything in every place.
class ConditionGenerator {
 public:
  explicit ConditionGenerator(unsigned seed) : random_(seed) {}

  Condition ordinary();
  Condition nasty();

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  const std::string& one_of(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  Variables some_variables(const std::vector<std::string>& values);

  std::string list(std::string (ConditionGenerator::*command)());
  std::string ordinary_command();
  std::string nasty_command();
  std::string ordinary_word();
  std::string nasty_word();
  std::string parameter(bool in_quotes);
  std::string doubled(std::string (ConditionGenerator::*word)());
  std::string long_test();

  std::mt19937 random_;
};

inline Variables ConditionGenerator::some_variables(const std::vector<std::string>& values) {
  Variables out;
  for (const std::string& name : kNames) {
    if (name != "NONE" && chance(85)) out[name] = one_of(values);
  }
  return out;
}

inline Condition ConditionGenerator::ordinary() {
  Variables variables = some_variables(kOrdinaryValues);
  return {list(&ConditionGenerator::ordinary_command), std::move(variables)};
}

inline Condition ConditionGenerator::nasty() {
  Variables variables = some_variables(kNastyValues);
  std::string text = list(&ConditionGenerator::nasty_command);
  if (chance(5)) text.erase(random_() % text.size(), 1);
  return {std::move(text), std::move(variables)};
}

inline std::string ConditionGenerator::list(std::string (ConditionGenerator::*command)()) {
  std::string text;
  for (int commands = chance(60) ? 1 : 1 + static_cast<int>(random_() % 3); commands > 0; --commands) {
    if (chance(10)) text += "! ";
    text += (this->*command)();
    if (commands > 1) text += chance(50) ? " && " : chance(50) ? " || " : "||";
  }
  return text;
}

inline std::string ConditionGenerator::parameter(bool in_quotes) {
  const std::string& name = one_of(kNames);
  switch (random_() % 8) {
    case 0:
      return "${" + name + (chance(50) ? ":-" : "-") + (chance(30) ? "$A" : in_quotes ? "d e" : "d") + "}";
    case 1:
      return "${" + name + (chance(50) ? ":+" : "+") + one_of({"x", "", "${B}", "true"}) + "}";
    case 2:
      return "${#" + name + "}";
    case 3:
      return "${" + name + one_of({"#", "##", "%", "%%"}) + one_of({"a", "*.", ".*", "v", "u*", "*-", "-*", "", "*"}) +
             "}";
    case 4:
      return "${" + name + "}";
    default:
      return "$" + name;
  }
}

inline std::string ConditionGenerator::ordinary_word() {
  switch (random_() % 6) {
    case 0:
      return one_of({"true", "ubuntu", "22", "amd64", "\"\"", "\"k3s\"", "'a b'", "v1.2.3", "0"});
    case 1:
      return parameter(false);
    case 2:
      return "\"" + one_of({"v", "x-", ""}) + parameter(true) + "\"";
    default:
      return "\"$" + one_of(kNames) + "\"";
  }
}

inline std::string ConditionGenerator::nasty_word() {
  switch (random_() % 8) {
    case 0:
      return one_of({"a",    "\"\"",     "''",      "\\!",   "\"a\"'b'c", "a\\ b",    "$",      "\"$\"",  "1",
                     "-1",   "x]",       "]",       "a\"\"", "~",         "a~",       "{a,b}",  "*",      "\"*\"",
                     "\\\\", "\"\\\\\"", "\"\\a\"", "'\"'",  "$A$B",      "\"$A\"$B", "$A\"\"", "\"\"$A", "a#b",
                     "é",    "\"$A\"]",  "[",       "=",     "-n",        "-f"});
    case 1:
      return parameter(false);
    case 2:
      return "\"" + parameter(true) + one_of({"", "x", "'", " "}) + "\"";
    case 3:
      return "$" + one_of(kNames);
    case 4:
      return one_of(kTokens);
    default:
      return "\"$" + one_of(kNames) + "\"";
  }
}

inline std::string ConditionGenerator::doubled(std::string (ConditionGenerator::*word)()) {
  const auto term = [&]() -> std::string {
    const std::string negation = chance(10) ? "! " : "";
    switch (random_() % 8) {
      case 0:
        return negation + (this->*word)() + " =~ " + one_of(kRegexes);
      case 1:
        return negation + (this->*word)() + one_of({" == ", " = ", " != "}) + one_of(kPatterns);
      case 2:
        return negation + one_of({"-z ", "-n "}) + (this->*word)();
      case 3:
        return negation + (this->*word)();
      default:
        return negation + (this->*word)() + " " + one_of(kBinary) + " " + (this->*word)();
    }
  };
  std::string text = "[[ ";
  if (chance(5)) text += "( ";
  text += term();
  while (chance(20)) text += one_of({" && ", " || "}) + term();
  if (text.starts_with("[[ (")) text += " )";
  return text + " ]]";
}

inline std::string ConditionGenerator::ordinary_command() {
  const std::string open = chance(85) ? "[ " : "test ";
  const std::string close = open == "[ " ? " ]" : "";
  switch (random_() % 12) {
    case 0:
      return chance(50) ? "$FLAG" : one_of({"true", "false", ":"});
    case 1:
      return doubled(&ConditionGenerator::ordinary_word);
    case 2:
    case 3:
      return open + (chance(30) ? "! " : "") + one_of({"-z ", "-n "}) + ordinary_word() + close;
    case 4:
      return open + (chance(30) ? "! " : "") + ordinary_word() + close;
    case 5:
      return open + ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + one_of({" -a ", " -o "}) +
             ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + close;
    case 6:
      return open + "!-n " + ordinary_word() + one_of({"]", " ]"});
    default:
      return open + (chance(10) ? "! " : "") + ordinary_word() + " " + one_of(kBinary) + " " + ordinary_word() + close;
  }
}

inline std::string ConditionGenerator::long_test() {
  std::string text = "[ ";
  for (int words = static_cast<int>(random_() % 9); words > 0; --words) {
    text += (chance(40) ? one_of(kTokens) : nasty_word()) + " ";
  }
  return text + "]";
}

inline std::string ConditionGenerator::nasty_command() {
  switch (random_() % 7) {
    case 0:
      return doubled(&ConditionGenerator::nasty_word);
    case 5:
      return "[ ! " + nasty_word() + " " + one_of({"-a", "-o", "=", "-eq"}) + " " + nasty_word() + " ]";
    case 1: {
      std::string text = one_of({"[", "test", "[[", "$FLAG", "!", "\"$A\"", "true", "$A"});
      for (int words = static_cast<int>(random_() % 5); words > 0; --words) text += " " + nasty_word();
      return text;
    }
    case 2:
      return long_test();
    case 3:
      return "[ " + nasty_word() + " " + one_of(kBinary) + " " + nasty_word() + " ]";
    case 4:
      return "test " + nasty_word() + " " + nasty_word();
    default:
      return "[ " + nasty_word() + " " + one_of({"-a", "-o", "=", "-eq", "!="}) + " " + nasty_word() + " " +
             one_of({"", "-a ", "-o "}) + nasty_word() + " ]";
  }
}

}  // namespace ingot::shell
