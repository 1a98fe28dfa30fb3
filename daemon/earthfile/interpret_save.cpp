#include <algorithm>
#include <filesystem>

#include "daemon/base/git_directory.h"
#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/shown_target.h"

// SAVE ARTIFACT.
namespace ingot::earthfile {

namespace {

const std::vector<OptionInfo>& save_options() {
  static const std::vector<OptionInfo> kOptions = {{"keep-ts", false, ""},
                                                   {"keep-own", false, ""},
                                                   {"if-exists", false, ""},
                                                   {"symlink-no-follow", false, ""},
                                                   {"force", false, ""}};
  return kOptions;
}

struct SaveWords {
  Word source;
  std::optional<Word> name;
  std::optional<Word> local;
};

// src [name] [AS LOCAL path]
Result<SaveWords> split_words(const Command& command, std::vector<Word> words) {
  constexpr const char* kForm = "SAVE ARTIFACT src [name] [AS LOCAL path]";
  SaveWords split;
  auto as = std::find_if(words.begin(), words.end(), [](const Word& word) { return word.text == "AS"; });
  if (as != words.begin() && as != words.end()) {
    if (words.end() - as < 3 || (as + 1)->text != "LOCAL") {
      return fail_at(as->place, ErrorKind::syntax, "AS is followed by LOCAL and a path", kForm);
    }
    if (words.end() - as > 3) return fail_at((as + 3)->place, ErrorKind::syntax, "AS LOCAL takes one path", kForm);
    split.local = *(as + 2);
    words.erase(as, words.end());
  }
  if (words.empty()) return fail_at(command.place, ErrorKind::syntax, "SAVE ARTIFACT needs a source", kForm);
  if (words.size() > 2) {
    return fail_at(words[2].place, ErrorKind::syntax, "SAVE ARTIFACT takes one source and one name",
                   "save each file by a line of its own, or all of them by a pattern");
  }
  split.source = words.front();
  if (words.size() == 2) split.name = words.back();
  return split;
}

// Under which name the target offers it: relative; for a pattern the directory that the matches go into, "." at the
// top.
Result<std::string> artifact_name(const graph::SaveArtifact& save, const std::string& given, const Place& place) {
  std::string name = absolute("/", given).substr(1);
  if (base::has_glob(save.source)) return name.empty() ? "." : name;
  if (means_directory(given)) name += (name.empty() ? "" : "/") + base_name(save.source);
  if (!name.empty() && !name.ends_with('/')) return name;
  return fail_at(place, ErrorKind::invalid, "SAVE ARTIFACT of the whole file system needs a name",
                 "SAVE ARTIFACT /. rootfs");
}

// Where it is put in the caller's project, relative to it; for a pattern the directory of the matches.
Result<std::string> local_path(const graph::SaveArtifact& save, const std::string& given, const Place& place) {
  if (given.starts_with('/') || leaves_project(given)) {
    const std::string what = "AS LOCAL " + base::printable(given) + " is outside of the project directory";
    if (save.force) {
      return fail_at(place, ErrorKind::denied, what + ", and Ingot does not write there, --force or not",
                     "fetch it with `ingot get -o DIR` instead");
    }
    return fail_at(place, ErrorKind::denied, what, "write a path below it, such as build/");
  }
  std::string normal = std::filesystem::path(given).lexically_normal().string();
  if (base::has_glob(save.source)) {
    if (!means_directory(given)) {
      return fail_at(
          place, ErrorKind::invalid,
          "AS LOCAL of a pattern needs a directory: \"" + base::printable(given) + "\" has no slash at its end",
          "AS LOCAL " + base::printable(given) + "/");
    }
  } else if (means_directory(given)) {
    normal = (std::filesystem::path(normal) / base_name(save.name)).lexically_normal().string();
  }
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

}  // namespace

Status Interpreter::save_artifact(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command, save_options(), lookup(frame)));
  INGOT_TRY(auto words, split_words(command, options.words(command)));
  graph::SaveArtifact save;
  INGOT_TRY(const auto step, current_step(frame, command));
  if (!frame.progress.local) {
    INGOT_TRY(save.from, with_persistent_caches(frame, frame.progress, step, command.place));
  }
  save.if_exists = options.has("if-exists");
  save.keep_ts = options.has("keep-ts");
  save.keep_own = options.has("keep-own") || frame.has("save-artifact-keep-own");
  save.symlink_no_follow = options.has("symlink-no-follow");
  save.force = options.has("force");
  save.after_failure = frame.is_finally;
  INGOT_TRY(auto source, value_of(frame, words.source));
  if (source.empty()) {
    return fail_at(words.source.place, ErrorKind::invalid,
                   "SAVE ARTIFACT " + words.source.text + ": this is empty here", hint_for_empty(frame, words.source));
  }
  if (source.find_first_not_of('/') == std::string::npos) {
    return fail_at(words.source.place, ErrorKind::invalid, "SAVE ARTIFACT cannot save \"/\"",
                   "SAVE ARTIFACT /. rootfs saves the whole file system as a directory called rootfs");
  }
  if (frame.progress.local && words.local) {
    return fail_at(words.local->place, ErrorKind::invalid, "under LOCALLY, SAVE ARTIFACT has no AS LOCAL",
                   "the files are there already: RUN cp copies them");
  }
  if (frame.progress.local) {
    INGOT_TRY(save.from, take_from_there(frame, command, source, save.if_exists));
  }
  save.source = absolute(frame.progress.working_dir, source);
  std::string name;
  if (words.name) {
    INGOT_TRY(name, value_of(frame, *words.name));
  }
  INGOT_TRY(save.name, artifact_name(save, name, words.name ? words.name->place : words.source.place));
  if (words.local) {
    INGOT_TRY(auto given, value_of(frame, *words.local));
    if (given.empty()) {
      return fail_at(words.local->place, ErrorKind::invalid, "the path of AS LOCAL is empty here",
                     hint_for_empty(frame, *words.local));
    }
    INGOT_TRY(save.local_path, local_path(save, given, words.local->place));
    // What another repository's targets give lands in the project itself.
    if (!frame.context.empty() && frame.checkout == nullptr) save.local_path = frame.context + "/" + save.local_path;
    if (base::leads_into_git(save.local_path)) {
      return fail_at(words.local->place, ErrorKind::denied,
                     "AS LOCAL " + base::printable(given) + " leads into a .git directory, where nothing is put",
                     "git runs what lies there: write another path, such as build/");
    }
  }
  save.target = shown_target(frame.target, frame.progress.platform);
  save.text = command.text();
  save.position = command.place.position();
  INGOT_CHECK(offer_artifact(frame, command, save));
  // Of what is built on the way only what has a place in the project is the user's.
  if (frame.is_requested || (frame.gives_results && !save.local_path.empty())) {
    graph_.add(std::move(save), strands_.next_rank());
  }
  return {};
}

// The artifacts of a target are a file system of their own, from which others COPY.
Status Interpreter::offer_artifact(Frame& frame, const Command& command, const graph::SaveArtifact& save) {
  graph::Step step;
  step.target = shown_target(frame.target, frame.progress.platform);
  step.position = command.place.position();
  if (!frame.progress.artifacts) {
    step.operation = graph::ImageOp{"scratch"};
    INGOT_TRY(frame.progress.artifacts, graph_.add(step));
  }
  if (!frame.progress.local) step.text = command.text();  // there the taking of it is what people see
  graph::CopyOp op;
  op.from = save.from;
  op.sources = {save.source};
  op.destination = save.name == "." ? "/" : "/" + save.name;
  op.destination_is_directory = base::has_glob(save.source);
  op.dir = op.destination_is_directory;
  op.if_exists = save.if_exists;
  op.keep_ts = save.keep_ts;
  op.keep_own = save.keep_own;
  op.symlink_no_follow = save.symlink_no_follow;
  step.operation = std::move(op);
  step.parent = frame.progress.artifacts;
  INGOT_TRY(frame.progress.artifacts, graph_.add(std::move(step)));
  return {};
}

}  // namespace ingot::earthfile
