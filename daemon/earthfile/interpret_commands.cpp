#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

// FROM, RUN, COPY, SAVE ARTIFACT, WORKDIR, USER.
namespace ingot::earthfile {

namespace {

constexpr const char* kLater = "a later version does; until then leave it out";

// `path` seen from `directory`, without "." and "..", never above "/".
std::string absolute(const std::string& directory, const std::string& path) {
  std::string joined = path.starts_with('/') ? path : directory + "/" + path;
  std::string normal = std::filesystem::path(joined).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  while (normal.starts_with("//")) normal.erase(0, 1);
  return normal;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool means_directory(const std::string& path) {
  return path.ends_with('/') || path == "." || path == ".." || path.ends_with("/.") || path.ends_with("/..");
}

bool names_artifact(const std::string& word) {
  // "+t/x", "./dir+t/x", "github.com/...+t/x" and "(+t/x --K=v)"; a plus in a plain file name has no such name behind
  // it.
  if (word.starts_with('(') || word.starts_with('+')) return true;
  const std::size_t plus = word.find('+');
  return plus != std::string::npos && word.find('/', plus) != std::string::npos && word[plus - 1] != '\\';
}

}  // namespace

Status Interpreter::from(Recipe& recipe, const Command& command) {
  INGOT_TRY(auto options,
            parse_options(command,
                          {{"platform", true, kLater},
                           {"allow-privileged", false, ""},
                           {"pass-args", false, ""},
                           {"build-arg", true, "give the argument behind the target: FROM +target --NAME=value"}},
                          lookup(recipe)));
  if (options.rest.empty()) {
    return fail_at(command.position, ErrorKind::syntax, "FROM needs an image or a target",
                   "such as FROM debian:bookworm or FROM +build");
  }
  INGOT_TRY(std::string reference, value_of(recipe, options.rest.front()));
  if (reference.empty()) {
    return fail_at(options.rest.front().position, ErrorKind::invalid,
                   "FROM " + options.rest.front().text + " is empty here", "give the variable a value");
  }
  if (reference.starts_with('+')) {
    std::map<std::string, std::string> overrides = request_.overrides;
    for (std::size_t i = 1; i < options.rest.size(); ++i) {
      const std::string& text = options.rest[i].text;
      const std::size_t equals = text.find('=');
      if (!text.starts_with("--") || equals == std::string::npos) {
        return fail_at(options.rest[i].position, ErrorKind::syntax,
                       "behind a target stand only --NAME=value arguments");
      }
      INGOT_TRY(overrides[text.substr(2, equals - 2)],
                value_of(recipe, {text.substr(equals + 1), options.rest[i].position}));
    }
    if (reference == "+base") return {};
    INGOT_TRY(auto other, target_recipe(reference.substr(1), options.rest.front().position, overrides, false));
    const Scope own = recipe.progress.scope;
    recipe.progress = other;
    // Of the other target's variables only ENV comes along.
    recipe.progress.scope.args = own.args;
    recipe.progress.scope.lets = own.lets;
    recipe.progress.scope.globals = own.globals;
    return {};
  }
  if (options.rest.size() > 1) {
    return fail_at(options.rest[1].position, ErrorKind::syntax, "FROM takes one image",
                   options.rest[1].text == "AS" ? "leave out AS: a target's name is its own" : "");
  }
  if (reference.find('+') != std::string::npos) {
    return fail_at(options.rest.front().position, ErrorKind::unsupported,
                   "targets of other directories are not understood by this version of Ingot", kLater);
  }
  auto config = host_.image_config(reference);
  if (!config) {
    Error error = config.error();
    if (!error.position && error.kind != ErrorKind::canceled) error.position = options.rest.front().position;
    return base::fail(std::move(error));
  }
  add_step(recipe, command, graph::ImageOp{reference});
  recipe.progress.scope.env = config->env;
  recipe.progress.working_dir = config->working_dir;
  recipe.progress.user = config->user;
  return {};
}

Status Interpreter::run_command(Recipe& recipe, const Command& command) {
  INGOT_TRY(auto options, parse_options(command,
                                        {{"push", false, kLater},
                                         {"no-cache", false, ""},
                                         {"privileged", false, kLater},
                                         {"secret", true, kLater},
                                         {"mount", true, kLater},
                                         {"ssh", false, kLater},
                                         {"entrypoint", false, kLater},
                                         {"network", true, kLater},
                                         {"interactive", false, kLater},
                                         {"interactive-keep", false, kLater},
                                         {"aws", false, kLater},
                                         {"oidc", true, kLater},
                                         {"raw-output", false, ""}},
                                        lookup(recipe)));
  INGOT_CHECK(current_step(recipe, command));
  if (options.rest.empty()) return fail_at(command.position, ErrorKind::syntax, "RUN needs a command");
  // The text from the first word that is no flag on, spaces and all: the shell in the container reads it.
  std::string text = command.arguments;
  for (std::size_t i = 0; i + options.rest.size() < command.words.size(); ++i) {
    text = std::string(base::trim(text.substr(command.words[i].text.size())));
  }
  graph::ExecOp exec;
  exec.command = std::move(text);
  exec.env = recipe.progress.scope.all();
  exec.working_dir = recipe.progress.working_dir;
  exec.user = recipe.progress.user;
  add_step(recipe, command, std::move(exec));
  return {};
}

Status Interpreter::copy(Recipe& recipe, const Command& command) {
  INGOT_TRY(auto options, parse_options(command,
                                        {{"dir", false, ""},
                                         {"if-exists", false, ""},
                                         {"keep-ts", false, ""},
                                         {"keep-own", false, ""},
                                         {"symlink-no-follow", false, ""},
                                         {"chown", true, ""},
                                         {"chmod", true, ""},
                                         {"platform", true, kLater},
                                         {"allow-privileged", false, ""},
                                         {"pass-args", false, ""},
                                         {"build-arg", true, kLater},
                                         {"from", true, "COPY takes from a target as +target/path"}},
                                        lookup(recipe)));
  INGOT_CHECK(current_step(recipe, command));
  if (options.rest.size() < 2) {
    return fail_at(command.position, ErrorKind::syntax, "COPY needs a source and a destination", "COPY src dest/");
  }
  graph::CopyOp op;
  for (std::size_t i = 0; i + 1 < options.rest.size(); ++i) {
    const Word& word = options.rest[i];
    if (names_artifact(word.text)) {
      return fail_at(word.position, ErrorKind::unsupported,
                     "COPY of another target's artifact is not understood by this version of Ingot",
                     "do the work of both targets in one, or use FROM +target");
    }
    INGOT_TRY(auto source, value_of(recipe, word));
    if (std::filesystem::path(source).lexically_normal().string().starts_with("..")) {
      return fail_at(word.position, ErrorKind::invalid,
                     "COPY cannot take \"" + source + "\": it is outside of the project",
                     "COPY reads below the directory of the Earthfile only");
    }
    op.sources.push_back(std::move(source));
  }
  INGOT_TRY(auto destination, value_of(recipe, options.rest.back()));
  op.destination_is_directory = destination.empty() || means_directory(destination);
  op.destination = absolute(recipe.progress.working_dir, destination);
  op.dir = options.has("dir");
  op.if_exists = options.has("if-exists");
  op.keep_ts = options.has("keep-ts");
  op.keep_own = options.has("keep-own");
  op.symlink_no_follow = options.has("symlink-no-follow");
  op.chown = options.values.contains("chown") ? options.value("chown") : recipe.progress.user;
  if (options.values.contains("chmod")) {
    const std::string text = options.value("chmod");
    unsigned mode = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (error != std::errc() || end != text.data() + text.size() || mode > 07777) {
      return fail_at(command.position, ErrorKind::invalid, "--chmod takes an octal mode, not \"" + text + "\"",
                     "such as --chmod=0755");
    }
    op.chmod = mode;
  }
  add_step(recipe, command, std::move(op));
  return {};
}

Status Interpreter::save_artifact(Recipe& recipe, const Command& command) {
  INGOT_TRY(auto options, parse_options(command,
                                        {{"keep-ts", false, ""},
                                         {"keep-own", false, ""},
                                         {"if-exists", false, ""},
                                         {"symlink-no-follow", false, ""},
                                         {"force", false, ""}},
                                        lookup(recipe)));
  INGOT_TRY(auto step, current_step(recipe, command));
  std::vector<Word> words = options.rest;
  graph::SaveArtifact save;
  const bool has_local =
      words.size() >= 4 && words[words.size() - 3].text == "AS" && words[words.size() - 2].text == "LOCAL";
  const bool short_local = words.size() == 4 && words[1].text == "AS";
  if (has_local || short_local) {
    INGOT_TRY(save.local_path, value_of(recipe, words.back()));
    words.resize(words.size() - 3);
  }
  if (words.empty() || words.size() > 2) {
    return fail_at(command.position, ErrorKind::syntax,
                   "SAVE ARTIFACT takes a source, a name, and AS LOCAL with a path",
                   "SAVE ARTIFACT src [name] [AS LOCAL path]");
  }
  INGOT_TRY(auto source, value_of(recipe, words.front()));
  INGOT_TRY(auto name, words.size() == 2 ? value_of(recipe, words[1]) : Result<std::string>(std::string()));
  if (source == "/") {
    return fail_at(words.front().position, ErrorKind::invalid, "SAVE ARTIFACT cannot save \"/\"",
                   "\"/. name\" saves the whole file system as a directory called name");
  }
  save.source = absolute(recipe.progress.working_dir, source);
  if (name.empty() || means_directory(name)) name += (name.empty() ? "" : "/") + base_name(save.source);
  save.name = absolute("/", name).substr(1);
  if (save.name.empty()) {
    return fail_at(command.position, ErrorKind::invalid, "SAVE ARTIFACT " + source + " needs a name",
                   "SAVE ARTIFACT " + source + " rootfs");
  }
  if (!save.local_path.empty()) {
    const bool into = means_directory(save.local_path);
    const auto normal = std::filesystem::path(save.local_path).lexically_normal().string();
    if (normal.starts_with('/') || normal.starts_with("..")) {
      return fail_at(options.rest.back().position, ErrorKind::denied,
                     "AS LOCAL " + save.local_path + " is outside of the project directory",
                     "Ingot writes below it only; fetch the artifact with `ingot get -o` instead");
    }
    const bool glob = source.find_first_of("*?[") != std::string::npos;
    save.local_path =
        into && !glob ? (std::filesystem::path(normal) / base_name(save.name)).lexically_normal().string() : normal;
    while (save.local_path.ends_with('/')) save.local_path.pop_back();
  }
  save.from = step;
  save.if_exists = options.has("if-exists");
  save.keep_ts = options.has("keep-ts");
  save.keep_own = options.has("keep-own");
  save.symlink_no_follow = options.has("symlink-no-follow");
  save.force = options.has("force");
  save.target = recipe.target;
  save.text = command.text();
  save.position = command.position;
  if (recipe.is_requested) result_.graph.artifacts.push_back(std::move(save));
  return {};
}

Status Interpreter::working_directory(Recipe& recipe, const Command& command) {
  if (command.words.size() != 1) return fail_at(command.position, ErrorKind::syntax, "WORKDIR takes one path");
  INGOT_TRY(auto path, value_of(recipe, command.words.front()));
  recipe.progress.working_dir = absolute(recipe.progress.working_dir, path);
  if (recipe.progress.step) add_step(recipe, command, graph::MakeDirectoryOp{recipe.progress.working_dir});
  return {};
}

Status Interpreter::user(Recipe& recipe, const Command& command) {
  if (command.words.size() != 1) return fail_at(command.position, ErrorKind::syntax, "USER takes one user");
  INGOT_TRY(recipe.progress.user, value_of(recipe, command.words.front()));
  return {};
}

}  // namespace ingot::earthfile
