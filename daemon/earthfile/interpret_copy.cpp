#include <algorithm>

#include "daemon/base/ignore.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/mount_option.h"
#include "daemon/earthfile/parentheses.h"
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
      {"chmod", true, "", ErrorKind::unsupported, "use-chmod"},
      {"platform", true, ""},
      {"allow-privileged", false, ""},
      {"pass-args", false, "", ErrorKind::unsupported, "pass-args"},
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

}  // namespace

// Seen from the project's own directory, or the repository's.
Result<std::string> Interpreter::copy_source(Frame& frame, const Word& word) {
  INGOT_TRY(auto source, value_of(frame, word));
  if (source.empty()) {
    return fail_at(word.place, ErrorKind::invalid, "COPY " + word.text + ": this source is empty here",
                   hint_for_empty(frame, word) + "; \".\" is the whole project");
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

// What the .earthlyignore of a directory below the project's own keeps out: of the project's, the client sends nothing.
Result<std::vector<std::string>> Interpreter::ignored_beside(const Frame& frame, const Place& place) {
  if (frame.context.empty()) return std::vector<std::string>();
  if (auto known = ignored_.find(frame.context); known != ignored_.end()) return known->second;
  if (host_.read_file(frame.context + "/.earthignore")) {
    return fail_at(place, ErrorKind::invalid, "there is a file .earthignore in " + base::printable(frame.context),
                   "rename it to .earthlyignore");
  }
  auto text = host_.read_file(frame.context + "/.earthlyignore");
  if (!text && text.error().kind != ErrorKind::not_found) return base::fail(text.error());
  auto& lines = ignored_[frame.context];
  if (text) lines = base::IgnoreRules::lines_below(*text, frame.context);
  return lines;
}

Status Interpreter::copy(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command, copy_options()));
  INGOT_CHECK(current_step(frame, command));
  INGOT_CHECK(inherited_by(frame, options.find("platform")));
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
  if (artifacts == 0 && frame.progress.local) {
    return fail_at(command.place, ErrorKind::invalid, "under LOCALLY, COPY takes what targets save",
                   "the files of the project are there already: RUN cp copies them");
  }
  if (artifacts == 0) {
    for (const auto& word : sources) {
      INGOT_TRY(auto source, copy_source(frame, word));
      op.sources.push_back(frame.checkout == nullptr ? std::move(source) : absolute("/", source));
    }
    if (frame.checkout != nullptr) {
      op.from = frame.checkout->files;
    } else {
      INGOT_TRY(op.excluded, ignored_beside(frame, command.place));
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
  if (frame.progress.local) return copy_there(frame, command, std::move(op), destination, sources, options);
  for (const auto& word : sources) INGOT_CHECK(copy_artifact(frame, command, op, word, options));
  return {};
}

// COPY +target/path, or (+target/path --NAME=value).
Status Interpreter::copy_artifact(Frame& frame, const Command& command, const graph::CopyOp& op, const Word& word,
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
  INGOT_TRY(const auto references, matching(frame, words.front(), text, "wildcard-copy"));
  for (const auto& one : references) INGOT_CHECK(copy_reference(frame, command, op, words, one, options));
  return {};
}

// `text` is what the first of the words says; the others are arguments.
Status Interpreter::copy_reference(Frame& frame, const Command& command, graph::CopyOp op,
                                   const std::vector<Word>& words, const std::string& text, const Options& options) {
  const std::size_t slash = text.find('/', text.find('+'));
  INGOT_TRY(auto target, resolve(frame, words.front(), text.substr(0, slash), options.has("allow-privileged")));
  INGOT_TRY(auto overrides, overrides_for(frame, target, options, {words.begin() + 1, words.end()}));
  INGOT_TRY(const auto inherited, inherited_by(frame, options.find("platform")));
  INGOT_TRY(auto other, target_recipe(target, words.front().place, overrides, false, inherited));
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
