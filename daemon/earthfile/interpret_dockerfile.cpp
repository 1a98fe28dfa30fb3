#include "daemon/base/ignore.h"
#include "daemon/base/strings.h"
#include "daemon/dockerfile/dockerfile.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

// FROM DOCKERFILE: its stages become steps of this target, and its image what this target goes on from.
namespace ingot::earthfile {

namespace {

constexpr const char* kFromDockerfileForm =
    "FROM DOCKERFILE [-f FILE] [--build-arg NAME=value] [--target STAGE] DIRECTORY";

}  // namespace

// A path seen from the Earthfile, or "+target/path".
Result<DockerPath> Interpreter::docker_path(Frame& frame, const Word& word, const std::string& text,
                                            const Options& options, const Inherited& inherited) {
  const std::size_t plus = text.find('+');
  if (plus != std::string::npos) return docker_artifact(frame, word, text, options, inherited);
  if (text.find("://") != std::string::npos) {
    return fail_at(word.place, ErrorKind::unsupported, "FROM DOCKERFILE takes files of the project, and of targets",
                   "clone the repository beside the Earthfile, and name its directory");
  }
  const std::string path = frame.context.empty() ? text : frame.context + "/" + text;
  if (text.empty() || text.starts_with('/') || leaves_project(path)) {
    return fail_at(word.place, ErrorKind::invalid,
                   "FROM DOCKERFILE cannot take \"" + base::printable(text) + "\": it is no path in the project",
                   "paths are seen from the Earthfile on, such as ./image");
  }
  if (frame.checkout != nullptr) return DockerPath{frame.checkout->files, absolute("/", path)};
  return DockerPath{std::nullopt, absolute("/", path).substr(1)};
}

Result<DockerPath> Interpreter::docker_artifact(Frame& frame, const Word& word, const std::string& text,
                                                const Options& options, const Inherited& inherited) {
  const std::size_t slash = text.find('/', text.find('+'));
  if (slash == std::string::npos) {
    return fail_at(word.place, ErrorKind::invalid,
                   "\"" + base::printable(text) + "\" names a target, and no artifact of it",
                   "write " + base::printable(text) + "/path");
  }
  INGOT_TRY(auto target, resolve(frame, word, text.substr(0, slash), options.has("allow-privileged")));
  Options passed;  // --build-arg is for the Dockerfile
  if (const auto* pass = options.find("pass-args")) passed.values.push_back(*pass);
  INGOT_TRY(auto overrides, overrides_for(frame, target, passed, {}));
  INGOT_TRY(auto other, target_recipe(target, word.place, overrides, false, inherited));
  if (!other.artifacts) {
    return fail_at(word.place, ErrorKind::not_found, text.substr(0, slash) + " saves no artifact",
                   "it needs SAVE ARTIFACT " + text.substr(slash + 1));
  }
  return DockerPath{other.artifacts, absolute("/", text.substr(slash))};
}

Result<DockerRequest> Interpreter::docker_request(Frame& frame, const Command& command) {
  INGOT_TRY(auto options,
            options_of(frame, command,
                       {{"f", true, ""},
                        {"build-arg", true, ""},
                        {"target", true, ""},
                        {"platform", true, ""},
                        {"allow-privileged", false, "", ErrorKind::unsupported, "allow-privileged-from-dockerfile"},
                        {"pass-args", false, "", ErrorKind::unsupported, "pass-args"}}));
  INGOT_TRY(const auto inherited, inherited_by(frame, options.find("platform")));
  const auto words = options.words(command);
  if (words.empty()) {
    return fail_at(command.place, ErrorKind::syntax, "FROM DOCKERFILE takes one directory, the context",
                   kFromDockerfileForm);
  }
  if (words.size() > 1 && !words[1].text.starts_with("--")) {
    return fail_at(words[1].place, ErrorKind::syntax, "FROM DOCKERFILE takes one directory, the context",
                   kFromDockerfileForm);
  }
  DockerRequest request;
  request.place = command.place;
  request.target = frame.target;
  request.platform = inherited.platform;
  INGOT_TRY(const auto context, value_of(frame, words.front()));
  // "+target/directory/*" is what the directory holds, and that is what a context is.
  const bool all_of_it = context.find('+') != std::string::npos && context.ends_with("/*");
  INGOT_TRY(request.context,
            docker_path(frame, words.front(), all_of_it ? context.substr(0, context.size() - 1) : context, options,
                        inherited));
  request.file = request.context;
  if (const auto* file = options.find("f")) {
    INGOT_TRY(request.file, docker_path(frame, {file->text, file->place}, file->text, options, inherited));
  } else {
    request.file.path += request.file.path.empty() || request.file.path == "/" ? "Dockerfile" : "/Dockerfile";
  }
  if (const auto* stage = options.find("target")) request.stage = stage->text;
  for (const auto& option : options.values) {
    if (option.name != "build-arg") continue;
    const std::size_t equals = std::min(option.text.find('='), option.text.size());
    const std::string name = option.text.substr(0, equals);
    const std::string* here = frame.progress.scope.find(name);
    if (equals == option.text.size() && here == nullptr) {
      return fail_at(option.place, ErrorKind::invalid, base::printable(name) + " has no value here to pass on",
                     "--build-arg " + base::printable(name) + "=value");
    }
    request.build_args[name] = equals < option.text.size() ? option.text.substr(equals + 1) : *here;
  }
  INGOT_TRY(auto behind, given_in(frame, {words.begin() + 1, words.end()}));
  for (auto& [name, value] : behind) request.build_args[name] = std::move(value);
  return request;
}

Result<std::string> Interpreter::text_of_dockerfile(const DockerRequest& request) {
  const std::string path = base::printable(request.file.path);
  if (request.file.step) {
    const auto text =
        aside([&, state = graph_.up_to(*request.file.step)] { return host_.step_file(state, request.file.path); });
    if (text && !*text) return leave_open(request.place);
    if (text) return **text;
    if (text.error().kind != ErrorKind::not_found) return base::fail(text.error());
    return fail_at(request.place, ErrorKind::not_found, "the target saves no " + path.substr(1),
                   "SAVE ARTIFACT saves files");
  }
  auto text = host_.read_file(request.file.path);
  if (text || text.error().kind != ErrorKind::not_found) return text;
  return fail_at(request.place, ErrorKind::not_found, "the project has no " + path,
                 "name another by -f, seen from the Earthfile");
}

// The ignore file that counts for a context of the project: the Dockerfile's own, or the directory's.
Result<std::vector<std::string>> Interpreter::ignored_in_context(const Frame& frame, const DockerRequest& request) {
  if (request.context.step) return std::vector<std::string>();
  const std::string directory = request.context.path.empty() ? "" : request.context.path + "/";
  std::vector<std::string> files = {directory + ".earthlyignore"};
  if (frame.has("use-docker-ignore")) {
    files = {directory + ".dockerignore"};
    if (!request.file.step) files.insert(files.begin(), request.file.path + ".dockerignore");
  }
  for (const auto& file : files) {
    auto text = host_.read_file(file);
    if (text) return base::IgnoreRules::lines_below(*text, request.context.path);
    if (text.error().kind != ErrorKind::not_found) return base::fail(text.error());
  }
  return std::vector<std::string>();
}

Status Interpreter::from_dockerfile(Frame& frame, const Command& command) {
  INGOT_TRY(auto request, docker_request(frame, command));
  INGOT_TRY(const auto text, text_of_dockerfile(request));
  INGOT_TRY(request.excluded, ignored_in_context(frame, request));
  auto file = dockerfile::parse(text, request.file.step ? request.file.path.substr(1) : request.file.path);
  const std::string context = "in FROM DOCKERFILE of " + proto::place_of(command.place.position());
  if (!file) return base::fail(base::with_context(text::joined(std::move(file.error())), context));
  DockerTools tools;
  tools.image = [&](const std::string& reference, const base::Platform& platform, const Place& place) {
    return image_config(reference, platform, place);
  };
  tools.warn = [&](const Place& place, std::string message, std::string hint) {
    warn(place, std::move(message), std::move(hint));
  };
  tools.count = [&](const Place& place, std::size_t instructions, std::size_t bytes) {
    return count_commands(place, instructions, bytes);
  };
  tools.add = [&](std::optional<graph::StepId> parent, graph::Operation operation, const base::Platform& platform,
                  const std::string& line, const Place& place) {
    frame.progress.platform = platform;
    return add_step_to(frame, parent, std::move(operation), line, place);
  };
  auto built = DockerStages(*file, request, tools).build();
  if (!built) return base::fail(base::with_context(built.error(), context));
  frame.progress.local.reset();
  frame.progress.step = built->step;
  frame.progress.platform = built->platform;
  frame.progress.image = built->whole_image();
  frame.progress.scope.env = std::move(built->env);
  frame.progress.working_dir = std::move(built->working_dir);
  frame.progress.user = std::move(built->user);
  frame.progress.has_own_cmd = false;
  return {};
}

}  // namespace ingot::earthfile
