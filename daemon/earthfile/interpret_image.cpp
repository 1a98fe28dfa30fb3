#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/earthfile/image_settings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/shown_target.h"

// SAVE IMAGE, and what describes an image: LABEL, ENTRYPOINT, CMD, EXPOSE, VOLUME, HEALTHCHECK.
namespace ingot::earthfile {

namespace {

// ["a", "b"]; nothing for any other text.
std::optional<std::vector<std::string>> json_words(const std::string& text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& word : json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

// What a container runs: the exec form word by word; any other text by its shell, with the values that variables have
// here.
Result<std::vector<std::string>> program(const Command& command, const Lookup& lookup) {
  if (auto words = json_words(command.arguments)) return *words;
  if (command.arguments.empty())
    return fail_at(command.place, ErrorKind::syntax, command.name + " needs a command",
                   "such as " + command.name + R"( ["/usr/bin/agent", "--foreground"])");
  INGOT_TRY(auto text, expand_for_shell(command.rest_from(0), lookup));
  return std::vector<std::string>{"/bin/sh", "-c", std::move(text)};
}

void set_label(graph::ImageConfig& image, std::string name, std::string value) {
  auto found =
      std::find_if(image.labels.begin(), image.labels.end(), [&](const auto& one) { return one.first == name; });
  if (found == image.labels.end())
    image.labels.emplace_back(std::move(name), std::move(value));
  else
    found->second = std::move(value);
}

void add_once(std::vector<std::string>& list, std::string value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

}  // namespace

Status Interpreter::label(Frame& frame, const Command& command) {
  if (command.words.empty()) return fail_at(command.place, ErrorKind::syntax, "LABEL needs a name", "LABEL name=value");
  for (const auto& word : command.words) {
    INGOT_TRY(auto text, value_of(frame, word));
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail_at(word.place, ErrorKind::syntax, "LABEL takes name=value, not \"" + base::printable(text) + "\"",
                     "LABEL " + base::printable(equals == 0 ? "name" : text) + "=value");
    }
    set_label(frame.progress.image, text.substr(0, equals), text.substr(equals + 1));
  }
  return {};
}

Status Interpreter::entrypoint(Frame& frame, const Command& command) {
  INGOT_TRY(frame.progress.image.entrypoint, program(command, lookup(frame)));
  // What the base image gave as arguments was meant for another program.
  if (!frame.progress.has_own_cmd) frame.progress.image.cmd.clear();
  return {};
}

Status Interpreter::cmd(Frame& frame, const Command& command) {
  INGOT_TRY(frame.progress.image.cmd, program(command, lookup(frame)));
  frame.progress.has_own_cmd = true;
  return {};
}

Status Interpreter::expose(Frame& frame, const Command& command) {
  if (command.words.empty()) return fail_at(command.place, ErrorKind::syntax, "EXPOSE needs a port", "EXPOSE 80/tcp");
  for (const auto& word : command.words) {
    INGOT_TRY(auto port, value_of(frame, word));
    INGOT_TRY(port, exposed_port(port, word.place));
    add_once(frame.progress.image.exposed_ports, std::move(port));
  }
  return {};
}

Status Interpreter::volume(Frame& frame, const Command& command) {
  if (command.words.empty()) return fail_at(command.place, ErrorKind::syntax, "VOLUME needs a path", "VOLUME /data");
  if (auto paths = json_words(command.arguments)) {
    for (auto& path : *paths) add_once(frame.progress.image.volumes, std::move(path));
    return {};
  }
  for (const auto& word : command.words) {
    INGOT_TRY(auto path, value_of(frame, word));
    add_once(frame.progress.image.volumes, std::move(path));
  }
  return {};
}

Status Interpreter::healthcheck(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"interval", true, ""},
                                      {"timeout", true, ""},
                                      {"start-period", true, ""},
                                      {"start-interval", true, ""},
                                      {"retries", true, ""}}));
  graph::Healthcheck check;
  for (const auto& option : options.values) {
    INGOT_CHECK(set_health_option(check, option.name, option.text, option.place));
  }
  const auto words = options.words(command);
  const std::string kind = words.empty() ? "" : words.front().text;
  if (kind == "NONE" && words.size() == 1) {
    check.test = {"NONE"};
  } else if (kind == "CMD" && words.size() > 1) {
    INGOT_TRY(auto text, expand_for_shell(command.rest_from(options.first_word + 1), lookup(frame)));
    check.test = {"CMD-SHELL", std::move(text)};
  } else {
    return fail_at(command.place, ErrorKind::syntax, "HEALTHCHECK is followed by CMD and a command, or by NONE",
                   "HEALTHCHECK --interval=30s CMD curl -f http://localhost/");
  }
  frame.progress.image.healthcheck = std::move(check);
  return {};
}

// What an image of this state says of itself.
graph::ImageConfig Interpreter::config_of(const Progress& progress) {
  graph::ImageConfig config = progress.image;
  config.env = progress.scope.env.entries();
  config.working_dir = progress.working_dir;
  config.user = progress.user;
  return config;
}

Status Interpreter::save_image(Frame& frame, const Command& command) {
  INGOT_TRY(
      auto options,
      options_of(frame, command,
                 {{"push", false, ""},
                  {"insecure", false, ""},
                  {"cache-hint", false, ""},
                  {"cache-from", true, ""},
                  {"no-manifest-list", false, "", ErrorKind::unsupported, "use-no-manifest-list"},
                  {"without-earthly-labels", false, "", ErrorKind::unsupported, "allow-without-earthly-labels"}}));
  const auto names = options.words(command);
  if (names.empty() && options.has("push")) {
    return fail_at(command.place, ErrorKind::syntax, "SAVE IMAGE --push needs a name",
                   "SAVE IMAGE --push host/name:tag");
  }
  graph::SaveImage save;
  INGOT_TRY(const auto step, current_step(frame, command));
  INGOT_TRY(save.from, with_persistent_caches(frame, frame.progress, step, command.place));
  save.config = config_of(frame.progress);
  save.platform = base::foreign_platform(frame.progress.platform);
  save.stands_alone = options.has("no-manifest-list");
  save.push = options.has("push");
  save.insecure = options.has("insecure");
  save.target = shown_target(frame.target, frame.progress.platform);
  save.text = command.text();
  save.position = command.place.position();
  if (save.push) note_push(frame, command);
  for (const auto& word : names) {
    INGOT_TRY(save.name, value_of(frame, word));
    if (save.name.empty()) {
      return fail_at(word.place, ErrorKind::invalid, "SAVE IMAGE " + word.text + ": this name is empty here",
                     hint_for_empty(frame, word));
    }
    frame.progress.saved_image = save.name;
    if (!frame.gives_results) continue;
    Rank rank = strands_.next_rank();
    images_[save.name][rank] = {save, word.place, frame.has("check-duplicate-images"),
                                context_of(strands_.current().under_way)};
    graph_.add(save, std::move(rank));
  }
  return {};
}

// What to do about two images of one name, of which only one could be kept; those of several platforms become one.
std::optional<std::string> cure_of_clash(const graph::SaveImage& one, const graph::SaveImage& other) {
  const bool is_beside = one.platform != other.platform;
  if (is_beside) {
    if (!one.stands_alone && !other.stands_alone) return std::nullopt;
    return "leave out --no-manifest-list, so that they become one image of several platforms";
  }
  if (one.from == other.from && one.config == other.config) return std::nullopt;
  return "give each a name of its own, such as name:$ARG";
}

// In the order of the recipe, whichever was come to first.
Status Interpreter::check_images_are_new() const {
  struct Clash {
    Rank rank;
    const NamedImage* first;
    const NamedImage* second;
    std::string cure;
  };
  std::optional<Clash> found;
  for (const auto& [name, images] : images_) {
    for (auto second = images.begin(); second != images.end(); ++second) {
      if (!second->second.must_be_new || (found && found->rank < second->first)) continue;
      for (auto first = images.begin(); first != second; ++first) {
        const auto cure = cure_of_clash(first->second.save, second->second.save);
        if (!cure) continue;
        found = Clash{second->first, &first->second, &second->second, *cure};
        break;
      }
    }
  }
  if (!found) return {};
  Error error{ErrorKind::invalid,
              fmt::format("two images are called {}: the other one is of {}", base::printable(found->second->save.name),
                          proto::place_of(found->first->save.position)),
              found->cure, found->second->place.position(), found->second->way};
  return base::fail(std::move(error));
}

}  // namespace ingot::earthfile
