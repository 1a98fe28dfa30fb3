#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/earthfile/image_settings.h"
#include "daemon/earthfile/interpreter.h"

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

// What a container runs: the exec form word by word; any other text by its shell, which expands it as that of a RUN
// does.
Result<std::vector<std::string>> program(const Command& command) {
  if (auto words = json_words(command.arguments)) return *words;
  if (command.arguments.empty()) return fail_at(command.place, ErrorKind::syntax, command.name + " needs a command");
  return std::vector<std::string>{"/bin/sh", "-c", command.arguments};
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
      return fail_at(word.place, ErrorKind::syntax, "LABEL takes name=value, not \"" + base::printable(text) + "\"");
    }
    set_label(frame.progress.image, text.substr(0, equals), text.substr(equals + 1));
  }
  return {};
}

Status Interpreter::entrypoint(Frame& frame, const Command& command) {
  INGOT_TRY(frame.progress.image.entrypoint, program(command));
  // What the base image gave as arguments was meant for another program.
  if (!frame.progress.has_own_cmd) frame.progress.image.cmd.clear();
  return {};
}

Status Interpreter::cmd(Frame& frame, const Command& command) {
  INGOT_TRY(frame.progress.image.cmd, program(command));
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
  INGOT_TRY(
      auto options,
      parse_options(command,
                    {{"interval", true, ""}, {"timeout", true, ""}, {"start-period", true, ""}, {"retries", true, ""}},
                    lookup(frame)));
  graph::Healthcheck check;
  for (const auto& option : options.values) {
    INGOT_CHECK(set_health_option(check, option.name, option.text, option.place));
  }
  const auto words = options.words(command);
  const std::string kind = words.empty() ? "" : words.front().text;
  if (kind == "NONE" && words.size() == 1) {
    check.test = {"NONE"};
  } else if (kind == "CMD" && words.size() > 1) {
    check.test = {"CMD-SHELL", command.rest_from(options.first_word + 1).text};
  } else {
    return fail_at(command.place, ErrorKind::syntax, "HEALTHCHECK is followed by CMD and a command, or by NONE",
                   "HEALTHCHECK --interval=30s CMD curl -f http://localhost/");
  }
  frame.progress.image.healthcheck = std::move(check);
  return {};
}

Status Interpreter::save_image(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command,
                                        {{"push", false, ""},
                                         {"insecure", false, ""},
                                         {"cache-hint", false, ""},
                                         {"cache-from", true, ""},
                                         {"no-manifest-list", false, ""},
                                         {"without-earthly-labels", false, ""}},
                                        lookup(frame)));
  graph::SaveImage save;
  INGOT_TRY(save.from, current_step(frame, command));
  save.config = frame.progress.image;
  save.config.env = frame.progress.scope.env.entries();
  save.config.working_dir = frame.progress.working_dir;
  save.config.user = frame.progress.user;
  save.push = options.has("push");
  save.insecure = options.has("insecure");
  save.target = frame.target;
  save.text = command.text();
  save.position = command.place.position();
  for (const auto& word : options.words(command)) {
    INGOT_TRY(save.name, value_of(frame, word));
    if (save.name.empty()) {
      return fail_at(word.place, ErrorKind::invalid, "SAVE IMAGE " + word.text + ": this name is empty here",
                     "give the variable a value");
    }
    if (frame.gives_results) graph_.add(save);
  }
  return {};
}

}  // namespace ingot::earthfile
