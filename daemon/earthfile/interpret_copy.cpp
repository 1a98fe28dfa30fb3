#include <charconv>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

// COPY from the context.
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
      {"platform", true, "leave it out: files of the project have none"},
      {"allow-privileged", false, ""},
      {"pass-args", false, ""},
      {"build-arg", true, "it is of use only with another target's artifact"},
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

Result<unsigned> parse_mode(const Options::Value& option) {
  unsigned mode = 0;
  const char* end = option.text.data() + option.text.size();
  auto [stopped, error] = std::from_chars(option.text.data(), end, mode, 8);
  if (error == std::errc() && stopped == end && mode <= 07777) return mode;
  return fail_at(option.place, ErrorKind::invalid,
                 "--chmod takes an octal mode, not \"" + base::printable(option.text) + "\"", "such as --chmod=0755");
}

}  // namespace

Result<std::string> Interpreter::copy_source(const Frame& frame, const Word& word) const {
  INGOT_TRY(auto source, value_of(frame, word));
  const bool expands_to_one = source.starts_with('+') && !word.text.starts_with("\\+");
  if (names_artifact(word.text) || expands_to_one) {
    return fail_at(word.place, ErrorKind::unsupported,
                   "COPY of another target's artifact is not understood by this version of Ingot",
                   "do the work of both targets in one, or use FROM +target");
  }
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
  return source.empty() ? std::string(".") : source;
}

Status Interpreter::copy(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command, copy_options(), lookup(frame)));
  INGOT_CHECK(current_step(frame, command));
  const auto words = options.words(command);
  if (words.size() < 2) {
    return fail_at(command.place, ErrorKind::syntax, "COPY needs a source and a destination",
                   "such as COPY overlay/ /overlay/");
  }
  graph::CopyOp op;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    INGOT_TRY(auto source, copy_source(frame, words[i]));
    op.sources.push_back(std::move(source));
  }
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
    INGOT_TRY(op.chmod, parse_mode(*chmod));
  }
  return add_step(frame, command, std::move(op));
}

}  // namespace ingot::earthfile
