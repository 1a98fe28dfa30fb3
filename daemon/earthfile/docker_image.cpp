#include <charconv>

#include "daemon/base/strings.h"
#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/image_settings.h"

// What a Dockerfile says of the image: LABEL, EXPOSE, VOLUME, HEALTHCHECK, ENTRYPOINT, CMD, STOPSIGNAL.
namespace ingot::earthfile {

namespace {

using dockerfile::Instruction;

// What a container runs: the exec form as it is, any other text by the stage's shell.
std::vector<std::string> program(const DockerStage& stage, const Instruction& one) {
  if (one.exec) return *one.exec;
  std::vector<std::string> words = stage.shell;
  words.push_back(one.arguments.text);
  return words;
}

// "8000-8002/tcp" as three; anything else is one.
std::vector<std::string> ports_in(const std::string& text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos || dash > slash) return {text};
  unsigned first = 0;
  unsigned last = 0;
  const auto read = [&](std::size_t begin, std::size_t end, unsigned& number) {
    auto [stopped, error] = std::from_chars(text.data() + begin, text.data() + end, number);
    return error == std::errc() && stopped == text.data() + end;
  };
  if (!read(0, dash, first) || !read(dash + 1, slash, last) || first > last || last > 65535) return {text};
  std::vector<std::string> ports;
  for (unsigned port = first; port <= last; ++port) ports.push_back(std::to_string(port) + text.substr(slash));
  return ports;
}

}  // namespace

Status DockerStages::label(DockerStage& stage, const Instruction& one) {
  for (const auto& pair : one.pairs) {
    INGOT_TRY(auto name, value_of(stage, pair.name));
    INGOT_TRY(auto value, value_of(stage, *pair.value));
    stage.labels.set(name, value);
  }
  return {};
}

Status DockerStages::expose(DockerStage& stage, const Instruction& one) {
  for (const auto& word : one.words) {
    INGOT_TRY(auto text, value_of(stage, word));
    for (const auto& some : base::split(text, ' ')) {
      if (some.empty()) continue;
      for (const auto& port : ports_in(some)) {
        INGOT_CHECK(tools_.count(word.place, 1, 0));
        INGOT_TRY(auto exposed, exposed_port(port, word.place));
        stage.ports.set(exposed, "");
      }
    }
  }
  return {};
}

Status DockerStages::volume(DockerStage& stage, const Instruction& one) {
  std::vector<dockerfile::Word> words = one.words;
  if (one.exec) {
    words.clear();
    for (const auto& path : *one.exec) words.push_back({path, one.arguments.place});
  }
  for (const auto& word : words) {
    INGOT_TRY(auto path, value_of(stage, word));
    if (path.empty())
      return fail_at(word.place, ErrorKind::invalid, "VOLUME: this path is empty here",
                     "give the variable a value, by ARG or ENV above it");
    stage.volumes.set(path, "");
  }
  return {};
}

Status DockerStages::healthcheck(DockerStage& stage, const Instruction& one) {
  graph::Healthcheck check;
  for (const auto& flag : one.flags) {
    INGOT_TRY(auto text, value_of(stage, {flag.value, flag.place}));
    INGOT_CHECK(set_health_option(check, flag.name, text, flag.place));
  }
  if (one.words.empty()) {
    check.test = {"NONE"};
  } else if (one.exec) {
    check.test = *one.exec;
    check.test.insert(check.test.begin(), "CMD");
  } else if (stage.shell == DockerStage().shell) {
    check.test = {"CMD-SHELL", one.arguments.text};
  } else {
    check.test = program(stage, one);
    check.test.insert(check.test.begin(), "CMD");
  }
  stage.image.healthcheck = std::move(check);
  return {};
}

Status DockerStages::entrypoint(DockerStage& stage, const Instruction& one) {
  stage.image.entrypoint = program(stage, one);
  // What the base image gave as arguments was meant for another program.
  if (!stage.has_own_cmd) stage.image.cmd.clear();
  return {};
}

Status DockerStages::cmd(DockerStage& stage, const Instruction& one) {
  stage.image.cmd = program(stage, one);
  stage.has_own_cmd = true;
  return {};
}

Status DockerStages::stop_signal(DockerStage& stage, const Instruction& one) {
  INGOT_TRY(stage.image.stop_signal, value_of(stage, one.words.front()));
  return {};
}

}  // namespace ingot::earthfile
