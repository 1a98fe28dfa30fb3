#include "daemon/earthfile/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kLargestFile = 8U << 20;
constexpr std::size_t kMostErrors = 20;

bool has_only(std::string_view text, std::string_view others, int (*kind)(int)) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return kind(static_cast<unsigned char>(c)) != 0 || others.find(c) != std::string_view::npos;
  });
}

bool is_target_name(std::string_view name) {
  return !name.empty() && std::islower(static_cast<unsigned char>(name.front())) != 0 &&
         has_only(name, "-_.", std::isalnum);
}

bool is_function_name(std::string_view name) {
  return !name.empty() && std::isupper(static_cast<unsigned char>(name.front())) != 0 &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) != 0; }) &&
         has_only(name, "_.", std::isalnum);
}

// Of the commands of two words, such as SAVE ARTIFACT, the first.
bool begins_two_words(const std::string& word) {
  constexpr std::string_view kFirst[] = {"SAVE", "FROM", "ELSE", "WITH", "GIT"};
  return std::find(std::begin(kFirst), std::end(kFirst), word) != std::end(kFirst);
}

// The commands that say what a recipe takes and gives.
bool has_doc(std::string_view command) {
  return command == "ARG" || command == "SAVE ARTIFACT" || command == "SAVE IMAGE";
}

}  // namespace

Parser::Parser(std::shared_ptr<const Source> source) : lexer_(*source), tree_(errors_) {
  file_.name = source->name();
  file_.source = std::move(source);
}

void Parser::fail(const Place& place, std::string message, std::string hint) {
  errors_.push_back({ErrorKind::syntax, std::move(message), std::move(hint), place.position(), {}});
}

tl::expected<File, std::vector<Error>> Parser::run() {
  Statement statement;
  while (errors_.size() < kMostErrors) {
    auto more = lexer_.next(statement);
    if (!more) {
      seen_any_ = true;
      errors_.push_back(more.error());
      continue;
    }
    if (!*more) break;
    if (check_text(statement)) take(statement);
  }
  end_recipe();
  if (!seen_any_) fail({file_.source.get(), 0}, "the Earthfile is empty", "begin it with the line VERSION 0.8");
  if (errors_.empty()) return std::move(file_);
  auto line = [](const Error& error) { return error.position ? error.position->line : 0; };
  std::stable_sort(errors_.begin(), errors_.end(),
                   [&line](const Error& a, const Error& b) { return line(a) < line(b); });
  return tl::unexpected<std::vector<Error>>(std::move(errors_));
}

// What a container cannot be told, nor JSON carry.
bool Parser::check_text(const Statement& statement) {
  if (statement.text.find('\0') == std::string::npos && base::is_valid_utf8(statement.text)) return true;
  for (const Word& word : statement.words) {
    if (word.text.find('\0') != std::string::npos) {
      fail(word.place, "this word holds a NUL byte", "an Earthfile is text; check how it was written");
      return false;
    }
    if (!base::is_valid_utf8(word.text)) {
      fail(word.place, "this word is not UTF-8", "save the Earthfile as UTF-8");
      return false;
    }
  }
  return true;
}

void Parser::take(Statement& statement) {
  const Word& first = statement.words.front();
  if (!seen_any_) {
    seen_any_ = true;
    if (first.text == "VERSION") return take_version(statement);
    fail(first.place, "the first command of an Earthfile must be VERSION", "add the line VERSION 0.8 above it");
    file_.version = "0.8";
  }
  if (first.text.ends_with(':') && statement.words.size() == 1) return take_header(statement);
  take_command(statement);
}

void Parser::take_version(const Statement& statement) {
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const Word& word = statement.words[i];
    if (word.text.starts_with("--")) {
      take_feature(word);
    } else {
      take_version_number(word);
    }
  }
  if (file_.version.empty()) {
    fail(statement.words.front().place, "VERSION needs a version", "such as VERSION 0.8");
    file_.version = "0.8";
  }
  check_features(statement.words.front());
}

void Parser::take_version_number(const Word& word) {
  if (!file_.version.empty()) return fail(word.place, "VERSION takes one version", "flags come before it, with \"--\"");
  file_.version = word.text;
  if (word.text == "0.6" || word.text == "0.7" || word.text == "0.8") return;
  fail(word.place, "\"" + base::printable(word.text) + "\" is no Earthfile version that Ingot knows",
       "0.6, 0.7 and 0.8 are");
  file_.version = "0.8";
}

void Parser::take_feature(const Word& word) {
  if (!file_.version.empty())
    return fail(word.place, "the flags of VERSION come before the version",
                "write VERSION " + base::printable(word.text) + " " + file_.version);
  const std::size_t equals = word.text.find('=');
  const std::string flag = word.text.substr(0, equals);
  if (equals != std::string::npos && word.text.substr(equals + 1) != "true") {
    return fail(word.place, "a feature flag of VERSION can only be turned on",
                "leave out " + base::printable(word.text));
  }
  if (find_feature(flag.substr(2)) == nullptr) {
    return fail(word.place, "VERSION knows no flag " + base::printable(flag),
                base::did_you_mean(flag, feature_flags()));
  }
  file_.features.push_back(flag.substr(2));
}

void Parser::check_features(const Word& version) {
  if (file_.has("arg-scope-and-set") && !file_.has("shell-out-anywhere")) {
    fail(version.place, "--arg-scope-and-set needs --shell-out-anywhere",
         "write VERSION --arg-scope-and-set --shell-out-anywhere " + file_.version);
  }
}

void Parser::end_recipe() {
  auto commands = tree_.finish();
  if (recipe_ == nullptr) {
    file_.base = std::move(commands);
    return;
  }
  if (in_function_ && !recipe_has_commands_) {
    fail(recipe_->place, "the function " + recipe_->name + " has no commands",
         std::string("it begins with ") + (file_.has("use-function-keyword") ? "FUNCTION" : "COMMAND"));
  }
  recipe_->commands = std::move(commands);
}

void Parser::take_header(const Statement& statement) {
  end_recipe();
  const Word& word = statement.words.front();
  const std::string name = word.text.substr(0, word.text.size() - 1);
  if (statement.indent > 0) {
    fail(word.place, "a target begins at the start of its line", "remove the white space before it");
  }
  in_function_ = is_function_name(name);
  if (!in_function_) check_name(word, name);
  auto [known, added] = names_.try_emplace(name, word.place);
  if (!added) {
    fail(word.place,
         fmt::format("there is a {} \"{}\" already, in line {}", in_function_ ? "function" : "target",
                     base::printable(name), known->second.position().line),
         "give one of them another name");
  }
  auto& recipes = in_function_ ? file_.functions : file_.targets;
  recipes.push_back({name, statement.comment, {}, word.place});
  recipe_ = &recipes.back();
  recipe_has_commands_ = false;
}

void Parser::check_name(const Word& word, const std::string& name) {
  if (name == "base") {
    return fail(word.place, "the name \"base\" is taken: it is the commands above the first target",
                "give the target another name");
  }
  if (is_target_name(name)) return;
  fail(word.place, "\"" + base::printable(name) + "\" is no name for a target",
       "letters, digits, \"-\", \"_\" and \".\", beginning with a small letter");
}

// Uses the statement up.
void Parser::take_command(Statement& statement) {
  const Word first = statement.words.front();
  Command command;
  command.place = first.place;
  command.name = first.text;
  std::size_t name_words = 1;
  if (statement.words.size() > 1 && begins_two_words(first.text)) {
    std::string both = first.text + " " + statement.words[1].text;
    if (find_command(both) != nullptr) {
      command.name = std::move(both);
      name_words = 2;
    }
  }
  if (find_command(command.name) == nullptr) return unknown_command(statement);
  if (command.name == "VERSION")
    return fail(first.place, "VERSION may stand only once, as the first command", "remove this one");
  command.words.assign(std::make_move_iterator(statement.words.begin() + static_cast<std::ptrdiff_t>(name_words)),
                       std::make_move_iterator(statement.words.end()));
  if (!command.words.empty()) {
    const std::size_t skipped = command.words.front().begin;
    command.arguments = statement.text.substr(skipped);
    for (Word& word : command.words) word.begin -= skipped;
  }
  if (recipe_ != nullptr && statement.indent == 0) {
    fail(first.place, fmt::format("the commands of \"{}\" must be indented", base::printable(recipe_->name)),
         "put white space before " + command.name);
  }
  if (has_doc(command.name)) command.doc = statement.comment;
  check_function_keyword(command);
  recipe_has_commands_ = true;
  tree_.add(std::move(command));
}

// The first command of a function is its keyword, which stands nowhere else.
void Parser::check_function_keyword(const Command& command) {
  const bool keyword = command.name == "FUNCTION" || command.name == "COMMAND";
  const bool expected = in_function_ && !recipe_has_commands_;
  const std::string wanted = file_.has("use-function-keyword") ? "FUNCTION" : "COMMAND";
  if (expected && !keyword) {
    fail(command.place, fmt::format("the function {} begins with {}, not {}", recipe_->name, wanted, command.name),
         fmt::format("put {} above it; a target's name is in small letters", wanted));
  } else if (expected && command.name != wanted) {
    fail(command.place,
         fmt::format("functions of VERSION {} begin with {}, not {}", file_.version, wanted, command.name),
         "write " + wanted);
  } else if (keyword && !expected) {
    fail(command.place, command.name + " may only be the first command of a function",
         "a function's name is in capital letters, such as SETUP:");
  }
}

void Parser::unknown_command(const Statement& statement) {
  const Word& first = statement.words.front();
  std::string hint = first.text.ends_with(':') ? "" : base::did_you_mean(first.text, command_names());
  if (first.text == "SAVE") hint = "SAVE ARTIFACT and SAVE IMAGE are commands";
  if (first.text == "WITH") hint = "WITH DOCKER is a command";
  if (first.text == "GIT") hint = "GIT CLONE is a command";
  if (first.text.find(':') != std::string::npos && hint.empty()) {
    hint = "a target is its name and \":\", alone on a line";
  }
  if (hint.empty()) hint = "commands are in capital letters, such as RUN or COPY; a backslash continues a line";
  fail(first.place, "there is no command \"" + base::printable(first.text) + "\"", hint);
}

tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name) {
  if (text.size() > kLargestFile) {
    Error error{ErrorKind::too_large,
                "the Earthfile is larger than " + base::human_bytes(kLargestFile),
                "keep data in files of their own, and COPY them",
                {},
                {}};
    error.position = proto::Position{file_name, 0, 0, ""};
    return tl::unexpected<std::vector<Error>>(std::vector<Error>{std::move(error)});
  }
  return Parser(std::make_shared<const Source>(text, file_name)).run();
}

std::vector<std::string> target_names(const File& file) {
  std::vector<std::string> names;
  for (const auto& target : file.targets) names.push_back(target.name);
  return names;
}

}  // namespace ingot::earthfile
