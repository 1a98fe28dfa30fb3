#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/docker_script.h"
#include "daemon/earthfile/image_op.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/parentheses.h"
#include "daemon/earthfile/paths.h"

// WITH DOCKER.
namespace ingot::earthfile {

namespace {

const std::vector<OptionInfo>& with_docker_options() {
  static const std::vector<OptionInfo> kOptions = {{"pull", true, ""},
                                                   {"load", true, ""},
                                                   {"compose", true, ""},
                                                   {"service", true, ""},
                                                   {"platform", true, ""},
                                                   {"cache-id", true, ""},
                                                   {"build-arg", true, ""},
                                                   {"pass-args", false, "", ErrorKind::unsupported, "pass-args"},
                                                   {"allow-privileged", false, ""}};
  return kOptions;
}

constexpr const char* kWithDockerForm = "WITH DOCKER [--pull image] [--load name=+target], one RUN, END";

}  // namespace

tl::unexpected<Error> Interpreter::fail_no_image(const Frame& frame, const Options::Value& option) const {
  return fail_at(option.place, ErrorKind::invalid, "--pull has no image here", hint_for_empty(frame, option.written));
}

// --pull image.
Result<graph::StepImage> Interpreter::pulled_image(Frame& frame, const Options::Value& option,
                                                   const base::Platform& platform) {
  if (option.text.empty()) return fail_no_image(frame, option);
  graph::StepImage image;
  image.name = option.text;
  image.platform = base::foreign_platform(platform);
  INGOT_TRY(image.config, image_config(option.text, platform, option.place));
  INGOT_TRY(image.from,
            add_step_to(frame, std::nullopt, image_op(option.text, platform), "FROM " + option.text, option.place));
  return image;
}

// --load name=+target, --load +target, --load name=(+target --NAME=value).
Result<graph::StepImage> Interpreter::loaded_image(Frame& frame, const Options& options, const Options::Value& option,
                                                   const Inherited& inherited) {
  const std::string& written = option.written.text;
  const std::size_t plus = written.find('+');
  const std::size_t equals = written.find('=') < plus ? written.find('=') : std::string::npos;
  const std::size_t begin = equals == std::string::npos ? 0 : equals + 1;
  const auto words = words_inside({written.substr(begin), option.written.place.plus(begin)});
  if (words.empty()) return fail_at(option.place, ErrorKind::syntax, "--load needs a target", kWithDockerForm);
  graph::StepImage image;
  if (equals != std::string::npos) {
    INGOT_TRY(image.name, value_of(frame, {written.substr(0, equals), option.written.place}));
  }
  INGOT_TRY(auto text, value_of(frame, words.front()));
  if (text.find('+') == std::string::npos) {
    return fail_at(words.front().place, ErrorKind::invalid,
                   "--load takes a target, and \"" + base::printable(text) + "\" is none",
                   "--load name=+target; an image of a registry is for --pull");
  }
  INGOT_TRY(auto target, resolve(frame, words.front(), text, options.has("allow-privileged")));
  INGOT_TRY(auto overrides, overrides_for(frame, target, options, {words.begin() + 1, words.end()}));
  INGOT_TRY(auto other, target_recipe(target, words.front().place, overrides, false, inherited));
  if (!other.step) {
    return fail_at(words.front().place, ErrorKind::invalid, text + " has no file system that could be an image",
                   "it needs a FROM");
  }
  if (image.name.empty()) image.name = other.saved_image;
  if (image.name.empty()) {
    return fail_at(words.front().place, ErrorKind::invalid, text + " gives its image no name", "--load name=" + text);
  }
  INGOT_TRY(image.from, with_persistent_caches(frame, other, *other.step, words.front().place));
  image.config = config_of(other);
  image.platform = base::foreign_platform(other.platform);
  return image;
}

// WITH DOCKER, one RUN, END: the RUN has an engine of its own, with these images, and services that run. Under LOCALLY
// it has the engine of who builds.
Status Interpreter::with_docker(Frame& frame, const Command& command) {
  Command joined = command;
  INGOT_TRY(joined.words, with_parentheses_joined(command, command.words));
  INGOT_TRY(auto options, options_of(frame, joined, with_docker_options()));
  // The engine runs what the step itself is for.
  INGOT_TRY(const auto platform, platform_in(options));
  const Inherited inherited{platform.value_or(frame.progress.platform), platform || frame.inherited.is_given};
  if (const auto words = options.words(joined); !words.empty()) {
    return fail_at(words.front().place, ErrorKind::syntax, "WITH DOCKER takes flags only", kWithDockerForm);
  }
  if (command.body.size() != 1 || command.body.front().name != "RUN") {
    const bool is_second = !command.body.empty() && command.body.front().name == "RUN";
    const Command& wrong = command.body.empty() ? command : command.body[is_second ? 1 : 0];
    return fail_at(wrong.place, ErrorKind::syntax, "WITH DOCKER takes one RUN, and nothing else",
                   "join several by &&; COPY what it needs above, and SAVE ARTIFACT what it makes below");
  }
  const bool is_local = frame.progress.local.has_value();
  if (!is_local) {
    INGOT_CHECK(check_has_container(frame, command.place));
    INGOT_CHECK(check_may_have_privileges(frame, command.place, "WITH DOCKER"));
  }

  DockerBlock block;
  std::string cache_id;
  for (const auto& option : options.values) {
    if (option.name == "pull" && is_local) {
      if (option.text.empty()) return fail_no_image(frame, option);
      block.script.pulled.push_back(option.text);
    } else if (option.name == "pull") {
      INGOT_TRY(auto image, pulled_image(frame, option, inherited.platform));
      block.images.push_back(std::move(image));
    }
    if (option.name == "load") {
      INGOT_TRY(auto image, loaded_image(frame, options, option, inherited));
      block.images.push_back(std::move(image));
    }
    if (option.name == "compose") block.script.compose_files.push_back(option.text);
    if (option.name == "service") block.script.services.push_back(option.text);
    if (option.name == "cache-id") cache_id = option.text;
  }
  if (block.script.compose_files.empty() && !block.script.services.empty()) {
    return fail_at(options.find("service")->place, ErrorKind::invalid, "--service names a service of no file",
                   "name the file, too: --compose docker-compose.yml");
  }
  for (std::size_t i = 0; i < block.images.size(); ++i) {
    block.images[i].target = kDockerImages + ("/" + std::to_string(i + 1));
    block.script.images.push_back(block.images[i].name);
  }
  if (is_local && platform) block.script.platform = platform->text();
  block.script.keeps_store = !cache_id.empty();
  block.store.target = kDockerStore;
  block.store.id = cache_id.empty() ? "WITH DOCKER" : "WITH DOCKER " + cache_id;
  block.store.sharing = cache_id.empty() ? graph::Mount::Sharing::private_ : graph::Mount::Sharing::locked;
  frame.docker = &block;
  auto done = run_command(frame, command.body.front());
  frame.docker = nullptr;
  return done;
}

void Interpreter::put_into(const DockerBlock& block, graph::ExecOp& exec) {
  DockerScript script = block.script;
  script.command = std::move(exec.command);
  exec.images = block.images;
  if (exec.local) {
    exec.command = local_docker_script(script);
    return;
  }
  exec.command = docker_script(script);
  exec.privileged = true;
  exec.mounts.push_back(block.store);
  graph::Mount memory;
  memory.kind = graph::Mount::Kind::tmpfs;
  memory.target = kDockerRun;
  exec.mounts.push_back(std::move(memory));
}

}  // namespace ingot::earthfile
