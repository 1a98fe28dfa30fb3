#include "daemon/base/strings.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/interpreter.h"

// FROM.
namespace ingot::earthfile {

Status check_platform(const Options& options) {
  const auto* platform = options.find("platform");
  if (platform == nullptr || platform->text.empty() || platform->text == native_platform()) return {};
  return fail_at(platform->place, ErrorKind::unsupported,
                 "this host builds for " + native_platform() + ", not for " + base::printable(platform->text),
                 "leave out --platform, or build on a host of that kind");
}

Status Interpreter::from(Frame& frame, const Command& command) {
  INGOT_TRY(
      auto options,
      parse_options(
          command,
          {{"platform", true, ""}, {"allow-privileged", false, ""}, {"pass-args", false, ""}, {"build-arg", true, ""}},
          lookup(frame)));
  INGOT_CHECK(check_platform(options));
  const auto words = options.words(command);
  if (words.empty()) {
    return fail_at(command.place, ErrorKind::syntax, "FROM needs an image or a target",
                   "such as FROM debian:bookworm or FROM +build");
  }
  INGOT_TRY(std::string reference, value_of(frame, words.front()));
  if (reference.empty()) {
    return fail_at(words.front().place, ErrorKind::invalid, "FROM " + words.front().text + ": this is empty here",
                   "give the variable a value");
  }
  const bool is_target = reference.find('+') != std::string::npos;
  if (!is_target && words.size() > 1) {
    return fail_at(words[1].place, ErrorKind::syntax, "FROM takes one image",
                   words[1].text == "AS" ? "leave out AS: the target's own name is its name" : "");
  }
  if (!is_target) return from_image(frame, command, words.front(), reference);
  INGOT_TRY(auto target, resolve(frame, words.front(), reference));
  INGOT_TRY(auto overrides, overrides_for(frame, target, options, {words.begin() + 1, words.end()}));
  return from_target(frame, words.front(), target, overrides);
}

Status Interpreter::from_target(Frame& frame, const Word& word, const Reference& target, const Overrides& overrides) {
  Progress other;
  const bool is_own_base = frame.is_base && target.unit == frame.unit;
  if (target.name == "base" && !is_own_base) {
    INGOT_TRY(other, base_recipe(*target.unit, overrides));
  } else {
    INGOT_TRY(other, target_recipe(target, word.place, overrides, false));
  }
  // Of the other target's variables only ENV comes along.
  frame.progress.step = other.step;
  frame.progress.scope.env = std::move(other.scope.env);
  frame.progress.working_dir = std::move(other.working_dir);
  frame.progress.user = std::move(other.user);
  frame.progress.image = std::move(other.image);
  frame.progress.has_own_cmd = other.has_own_cmd;
  return {};
}

Result<graph::ImageConfig> Interpreter::image_config(const std::string& reference, const Place& from) {
  auto config = host_.image_config(reference);
  if (config) return config;
  Error error = config.error();
  if (!error.position && error.kind != ErrorKind::canceled) error.position = from.position();
  return base::fail(std::move(error));
}

Status Interpreter::from_image(Frame& frame, const Command& command, const Word& word, const std::string& reference) {
  INGOT_TRY(auto config, image_config(reference, word.place));
  INGOT_CHECK(add_step(frame, command, graph::ImageOp{reference}));
  frame.progress.scope.env = VariableTable(config.env);
  frame.progress.working_dir = config.working_dir.empty() ? "/" : config.working_dir;
  frame.progress.user = config.user;
  frame.progress.image = std::move(config);
  frame.progress.has_own_cmd = false;
  return {};
}

}  // namespace ingot::earthfile
