#include "daemon/base/strings.h"
#include "daemon/earthfile/image_op.h"
#include "daemon/earthfile/interpreter.h"

// FROM.
namespace ingot::earthfile {

Status Interpreter::from(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"platform", true, ""},
                                      {"allow-privileged", false, ""},
                                      {"pass-args", false, "", ErrorKind::unsupported, "pass-args"},
                                      {"build-arg", true, ""}}));
  INGOT_TRY(const auto inherited, inherited_by(frame, options.find("platform")));
  const auto words = options.words(command);
  if (words.empty()) {
    return fail_at(command.place, ErrorKind::syntax, "FROM needs an image or a target",
                   "such as FROM debian:bookworm or FROM +build");
  }
  INGOT_TRY(std::string reference, value_of(frame, words.front()));
  if (reference.empty()) {
    return fail_at(words.front().place, ErrorKind::invalid, "FROM " + words.front().text + ": this is empty here",
                   hint_for_empty(frame, words.front()));
  }
  const bool is_target = reference.find('+') != std::string::npos;
  if (!is_target && words.size() > 1) {
    return fail_at(words[1].place, ErrorKind::syntax, "FROM takes one image",
                   words[1].text == "AS" ? "leave out AS: the target's own name is its name"
                                         : "what else is needed is copied: COPY +target/path dest");
  }
  if (!is_target) {
    frame.progress.platform = inherited.platform;
    return from_image(frame, command, words.front(), reference);
  }
  INGOT_TRY(auto target, resolve(frame, words.front(), reference, options.has("allow-privileged")));
  INGOT_TRY(auto overrides, overrides_for(frame, target, options, {words.begin() + 1, words.end()}));
  return from_target(frame, words.front(), target, overrides, inherited);
}

Status Interpreter::from_target(Frame& frame, const Word& word, const Reference& target, const Overrides& overrides,
                                const Inherited& inherited) {
  Progress other;
  const bool is_own_base = frame.is_base && target.unit == frame.unit;
  if (target.name == "base" && !is_own_base) {
    INGOT_TRY(other, base_recipe(target, overrides, inherited));
  } else {
    INGOT_TRY(other, target_recipe(target, word.place, overrides, false, inherited));
  }
  // Of the other target's variables only ENV comes along.
  if (other.local) {
    return fail_at(word.place, ErrorKind::invalid,
                   target.unit->full_name(target.name) + " works LOCALLY, and has no file system to start from",
                   "take what it saves: COPY " + target.unit->full_name(target.name) + "/path dest");
  }
  frame.progress.local.reset();
  frame.progress.step = other.step;
  frame.progress.platform = std::move(other.platform);
  if (other.step) {
    INGOT_TRY(frame.progress.step, with_persistent_caches(frame, other, *other.step, word.place));
  }
  frame.progress.scope.env = std::move(other.scope.env);
  frame.progress.working_dir = std::move(other.working_dir);
  frame.progress.user = std::move(other.user);
  frame.progress.image = std::move(other.image);
  frame.progress.has_own_cmd = other.has_own_cmd;
  frame.progress.saved_image.clear();
  return {};
}

Result<graph::ImageConfig> Interpreter::image_config(const std::string& reference, const base::Platform& platform,
                                                     const Place& from) {
  const auto key = std::pair(reference, platform);
  if (auto known = image_configs_.find(key); known != image_configs_.end()) return known->second;
  auto config = aside([&] { return host_.image_config(reference, platform); });
  if (config) image_configs_[key] = *config;
  if (config) return config;
  Error error = config.error();
  if (!error.position && error.kind != ErrorKind::canceled) error.position = from.position();
  return base::fail(std::move(error));
}

Status Interpreter::from_image(Frame& frame, const Command& command, const Word& word, const std::string& reference) {
  INGOT_TRY(auto config, image_config(reference, frame.progress.platform, word.place));
  INGOT_CHECK(add_step(frame, command, image_op(reference, frame.progress.platform)));
  frame.progress.local.reset();
  frame.progress.scope.env = VariableTable(config.env);
  frame.progress.working_dir = config.working_dir.empty() ? "/" : config.working_dir;
  frame.progress.user = config.user;
  frame.progress.image = std::move(config);
  frame.progress.has_own_cmd = false;
  frame.progress.saved_image.clear();
  return {};
}

}  // namespace ingot::earthfile
