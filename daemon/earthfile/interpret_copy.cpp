#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/mount_option.h"
#include "daemon/earthfile/paths.h"

// COPY from the context, and from other targets.
namespace ingot::earthfile {

namespace {

const std::vector<OptionInfo>& copy_options() {
  static const std::vector<OptionInfo> kOptions = {
      {"dir", false, ""},
      {"if-exists", false, ""},
      {"keep-ts", false, ""},
      {"keep-own", false, ""},
      {"symlink-no-follow", false, ""},
      {"chown", true, ""},
      {"chmod", true, ""},
      {"platform", true, ""},
      {"allow-privileged", false, ""},
      {"pass-args", false, ""},
      {"build-arg", true, ""},
      {"from", true, "another target's files are copied by COPY +target/path dest", ErrorKind::syntax}};
  return kOptions;
}

// "+t/x", "./dir+t/x", "github.com/...+t/x" and "(+t/x --K=v)". A plus that is escaped, or that no target and path
// follow, belongs to a file's name.
bool names_artifact(const std::string& word) {
  if (word.starts_with('(') || word.starts_with('+')) return true;
  const std::size_t plus = word.find('+');
  return plus != std::string::npos && word[plus - 1] != '\\' && word.find('/', plus) != std::string::npos;
}

// The words as they are meant: "(+t/x --K=v)" is one.
Result<std::vector<Word>> with_parentheses_joined(const Command& command, const std::vector<Word>& words) {
  std::vector<Word> joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    Word word = words[i];
    if (word.text.starts_with('(')) {
      std::size_t last = i;
      while (last < words.size() && !words[last].text.ends_with(')')) ++last;
      if (last == words.size()) {
        return fail_at(word.place, ErrorKind::syntax, "this parenthesis is not closed", "(+target/path --NAME=value)");
      }
      word.text = command.arguments.substr(word.begin, words[last].begin + words[last].text.size() - word.begin);
      i = last;
    }
    joined.push_back(std::move(word));
  }
  return joined;
}

// The words inside of parentheses; a word without them is alone.
std::vector<Word> words_inside(const Word& word) {
  if (!word.text.starts_with('(')) return {word};
  std::vector<Word> words;
  std::size_t at = 1;
  while (at + 1 < word.text.size()) {
    const std::size_t end = std::min(word.text.find_first_of(" \t\n", at), word.text.size() - 1);
    if (end > at) words.push_back({word.text.substr(at, end - at), word.place.plus(at), word.begin + at});
    at = end + 1;
  }
  return words;
}

}  // namespace

// Seen from the project's own directory.
Result<std::string> Interpreter::copy_source(Frame& frame, const Word& word) {
  INGOT_TRY(auto source, value_of(frame, word));
  if (source.empty()) {
    return fail_at(word.place, ErrorKind::invalid, "COPY " + word.text + ": this source is empty here",
                   "give the variable a value, or write \".\" for the whole project");
  }
  if (leaves_project(source)) {
    return fail_at(word.place, ErrorKind::invalid,
                   "COPY cannot take \"" + base::printable(source) + "\": it is outside of the project",
                   "COPY reads below the directory of the Earthfile only");
  }
  source.erase(0, source.find_first_not_of('/'));  // an absolute path counts from the project's own root
  if (source.empty()) source = ".";
  return frame.context.empty() ? source : frame.context + "/" + source;
}

Status Interpreter::copy(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command, copy_options(), lookup(frame)));
  INGOT_CHECK(current_step(frame, command));
  INGOT_CHECK(check_platform(options));
  INGOT_TRY(auto words, with_parentheses_joined(command, options.words(command)));
  if (words.size() < 2) {
    return fail_at(command.place, ErrorKind::syntax, "COPY needs a source and a destination",
                   "such as COPY overlay/ /overlay/");
  }
  graph::CopyOp op;
  INGOT_TRY(auto destination, value_of(frame, words.back()));
  op.destination_is_directory = means_directory(destination);
  op.destination = absolute(frame.progress.working_dir, destination);
  op.dir = options.has("dir");
  op.if_exists = options.has("if-exists");
  op.keep_ts = options.has("keep-ts");
  op.keep_own = options.has("keep-own");
  op.symlink_no_follow = options.has("symlink-no-follow");
  const auto* chown = options.find("chown");
  op.chown = chown != nullptr && !chown->text.empty() ? chown->text : frame.progress.user;
  if (const auto* chmod = options.find("chmod")) {
    INGOT_TRY(op.chmod, parse_mode(chmod->text, chmod->place, "--chmod"));
  }

  const std::vector<Word> sources(words.begin(), words.end() - 1);
  std::size_t artifacts = 0;
  for (const auto& word : sources) {
    INGOT_TRY(auto text, value_of(frame, word));
    const bool expands_to_one = text.starts_with('+') && !word.text.starts_with("\\+");
    if (names_artifact(word.text) || expands_to_one) ++artifacts;
  }
  if (artifacts == 0) {
    for (const auto& word : sources) {
      INGOT_TRY(auto source, copy_source(frame, word));
      op.sources.push_back(std::move(source));
    }
    return add_step(frame, command, std::move(op));
  }
  if (artifacts < sources.size()) {
    return fail_at(command.place, ErrorKind::invalid,
                   "one COPY cannot take both files of the project and other targets' artifacts",
                   "write a COPY for each");
  }
  // Each may be another target's: a step for each.
  op.destination_is_directory = op.destination_is_directory || sources.size() > 1;
  for (const auto& word : sources) INGOT_CHECK(copy_artifact(frame, command, op, word, options));
  return {};
}

// COPY +target/path, or (+target/path --NAME=value).
Status Interpreter::copy_artifact(Frame& frame, const Command& command, graph::CopyOp op, const Word& word,
                                  const Options& options) {
  const auto words = words_inside(word);
  if (words.empty()) {
    return fail_at(word.place, ErrorKind::syntax, "the parentheses are empty", "(+target/path --NAME=value)");
  }
  INGOT_TRY(auto text, value_of(frame, words.front()));
  const std::size_t plus = text.find('+');
  const std::size_t slash = plus == std::string::npos ? plus : text.find('/', plus);
  if (slash == std::string::npos) {
    return fail_at(words.front().place, ErrorKind::invalid,
                   "\"" + base::printable(text) + "\" names a target, and no artifact of it",
                   "COPY " + text + "/path dest, or " + text + "/* for all");
  }
  INGOT_TRY(auto target, resolve(frame, words.front(), text.substr(0, slash)));
  INGOT_TRY(auto overrides, overrides_for(frame, target, options, {words.begin() + 1, words.end()}));
  INGOT_TRY(auto other, target_recipe(target, words.front().place, overrides, false));
  if (!other.artifacts) {
    if (op.if_exists) return {};
    return fail_at(words.front().place, ErrorKind::not_found, text.substr(0, slash) + " saves no artifact",
                   "it needs SAVE ARTIFACT " + text.substr(slash + 1));
  }
  op.from = other.artifacts;
  op.sources = {absolute("/", text.substr(slash))};
  return add_step(frame, command, std::move(op));
}

}  // namespace ingot::earthfile
