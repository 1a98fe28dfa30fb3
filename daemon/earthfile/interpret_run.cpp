#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/mount_option.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/run_options.h"
#include "daemon/earthfile/secret_option.h"
#include "daemon/earthfile/shell_quote.h"

// RUN, CACHE, WORKDIR, USER.
namespace ingot::earthfile {

namespace {

// A word of the exec form for /bin/sh, which reads it too: its variables and patterns stay alive, as users of the
// language know them; only what would tear the word apart is quoted.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\r\n\"'\\`;&|<>()#") == std::string::npos;
  if (plain) return word;
  std::string quoted = "\"";
  for (char c : word) {
    if (c == '"' || c == '\\' || c == '`') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// `["program", "argument"]`; anything else is text for the shell as it stands.
std::string shell_text(std::string text) {
  if (!text.starts_with('[')) return text;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return text;
  std::string command;
  for (const auto& word : json) {
    if (!word.is_string()) return text;
    command += (command.empty() ? "" : " ") + shell_word(word.get<std::string>());
  }
  return command;
}

}  // namespace

Status Interpreter::run_command(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command, run_options()));
  INGOT_CHECK(current_step(frame, command));
  // What has an effect outside happens only when the user asks for it, and each time anew.
  const bool pushes = options.has("push");
  if (!pushes) INGOT_CHECK(check_may_follow_push(frame, command));
  if (pushes) note_push(frame, command);
  if (pushes && !(request_.push && frame.gives_results)) return {};
  INGOT_TRY(auto exec, exec_of(frame, options, command.place));
  exec.no_cache = exec.no_cache || pushes;
  exec.command = shell_text(command.rest_from(options.first_word).text);
  if (options.has("entrypoint")) {
    INGOT_TRY(exec.command, with_entrypoint(frame, command, exec.command));
  }
  if (exec.command.empty()) {
    return fail_at(command.place, ErrorKind::syntax, "RUN needs a command", "such as RUN make install");
  }
  if (frame.docker != nullptr) put_into(*frame.docker, exec);
  INGOT_CHECK(add_step(frame, command, std::move(exec)));
  if (pushes) graph_.set_pushes(*frame.progress.step);
  return {};
}

// RUN --entrypoint: what a container of the image would run, with these arguments.
Result<std::string> Interpreter::with_entrypoint(const Frame& frame, const Command& command,
                                                 const std::string& arguments) const {
  const graph::ImageConfig& image = frame.progress.image;
  std::vector<std::string> words = image.entrypoint;
  if (arguments.empty()) words.insert(words.end(), image.cmd.begin(), image.cmd.end());
  if (words.empty() && arguments.empty()) {
    return fail_at(command.place, ErrorKind::invalid,
                   "RUN --entrypoint has nothing to run: the image has no ENTRYPOINT",
                   "write ENTRYPOINT above it, or a command behind it");
  }
  std::string text = shell_quoted(words);
  if (!words.empty() && !arguments.empty()) text += " ";
  return text + arguments;
}

// Before there were WAIT blocks, what comes behind a push in a recipe had to be one, too.
void Interpreter::note_push(Frame& frame, const Command& command) {
  if (frame.has("wait-block") || !frame.progress.pushed.empty()) return;
  frame.progress.pushed = fmt::format("the {} --push of {}", command.name, proto::place_of(command.place.position()));
}

Status Interpreter::check_may_follow_push(const Frame& frame, const Command& command) {
  if (frame.progress.pushed.empty() || frame.has("wait-block")) return {};
  return fail_at(command.place, ErrorKind::invalid,
                 fmt::format("{} comes behind {}, and only what pushes may", command.name, frame.progress.pushed),
                 "move it above, or write VERSION --wait-block " + frame.unit->file.version);
}

// All but the command itself.
Result<graph::ExecOp> Interpreter::exec_of(Frame& frame, const Options& options, const Place& place) {
  graph::ExecOp exec;
  if (frame.progress.local) INGOT_CHECK(run_there(frame, options, exec, place));
  exec.env = frame.progress.scope.all();
  exec.working_dir = frame.progress.working_dir;
  exec.user = frame.progress.user;
  exec.platform = base::foreign_platform(frame.progress.platform);
  exec.no_cache = exec.no_cache || options.has("no-cache");
  if (const auto* privileged = options.find("privileged"); privileged != nullptr && options.has("privileged")) {
    INGOT_CHECK(check_may_have_privileges(frame, privileged->place, "--privileged"));
    exec.privileged = true;
  }
  exec.hosts = frame.progress.hosts;
  exec.mounts = frame.progress.caches;
  for (const auto& option : options.values) {
    if (option.name == "mount") INGOT_CHECK(add_mount(frame, option, exec));
    if (option.name == "secret") {
      INGOT_TRY(auto secret, parse_secret(option, frame.has("use-project-secrets")));
      if (secret) exec.secrets.push_back(std::move(*secret));
    }
    if (option.name == "network") {
      if (option.text != "none") {
        return fail_at(option.place, ErrorKind::invalid, "RUN --network takes none, and nothing else",
                       "the daemon's configuration decides on the network of all other steps");
      }
      exec.no_network = true;
    }
  }
  // Under LOCALLY a command has the agent of who builds in any case.
  if (options.has("ssh") && !exec.local && graph::agent_of(exec) == nullptr) exec.mounts.push_back(agent_mount());
  return exec;
}

Status Interpreter::add_mount(Frame& frame, const Options::Value& option, graph::ExecOp& exec) {
  INGOT_TRY(auto made, parse_mount(option, frame.target, frame.progress.working_dir));
  if (made.mount.kind == graph::Mount::Kind::bind) {
    // Recipes may name directories of the host here; those are nobody's business.
    if (made.from.find('+') == std::string::npos) {
      return fail_at(option.place, ErrorKind::unsupported,
                     made.from.empty() ? "--mount=type=bind needs a target: files of the host are not mounted"
                                       : "--mount=type=bind takes files of targets, not of images",
                     "from=+target with source=/path, or COPY what the command needs");
    }
    // "+target" is all that it has, "+target/path" what it saves.
    const std::size_t slash = made.from.find('/', made.from.find('+'));
    const Word word{made.from.substr(0, slash), option.place};
    INGOT_TRY(auto target, resolve(frame, word, word.text, false));
    INGOT_TRY(auto overrides, overrides_for(frame, target, {}, {}));
    INGOT_TRY(auto other, target_recipe(target, option.place, overrides, false, frame.inherited));
    made.mount.from = slash == std::string::npos ? other.step : other.artifacts;
    if (!made.mount.from) {
      return fail_at(option.place, ErrorKind::not_found,
                     word.text + (slash == std::string::npos ? " has no file system" : " saves no artifact"),
                     slash == std::string::npos
                         ? "it needs a FROM, or a command that makes files"
                         : "it needs SAVE ARTIFACT, or name the target alone for all that it has");
    }
    if (slash != std::string::npos) {
      made.mount.source = absolute(absolute("/", made.from.substr(slash)), made.mount.source.substr(1));
    }
  }
  exec.mounts.push_back(std::move(made.mount));
  return {};
}

Status Interpreter::working_directory(Frame& frame, const Command& command) {
  if (command.words.empty())
    return fail_at(command.place, ErrorKind::syntax, "WORKDIR needs a path", "such as WORKDIR /src");
  INGOT_CHECK(current_step(frame, command));
  INGOT_TRY(auto path, value_of(frame, command.rest_from(0)));
  if (frame.progress.local) {
    move_there(frame, path);
    return {};
  }
  frame.progress.working_dir = absolute(frame.progress.working_dir, path);
  return add_step(frame, command, graph::MakeDirectoryOp{frame.progress.working_dir});
}

// CACHE: a directory that every RUN below sees, and that is in no layer.
Status Interpreter::cache(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"id", true, ""},
                                      {"sharing", true, ""},
                                      {"chmod", true, ""},
                                      {"persist", false, "", ErrorKind::unsupported, "cache-persist-option"}}));
  const auto words = options.words(command);
  if (words.size() != 1) {
    return fail_at(command.place, ErrorKind::syntax, "CACHE takes one directory", "such as CACHE /root/.cache");
  }
  INGOT_CHECK(current_step(frame, command));
  INGOT_TRY(auto path, value_of(frame, words.front()));
  graph::Mount mount;
  mount.target = absolute(frame.progress.working_dir, path);
  mount.id = frame.target + " " + mount.target;
  if (const auto* id = options.find("id")) mount.id = id->text;
  if (const auto* sharing = options.find("sharing")) {
    INGOT_TRY(mount.sharing, parse_sharing(sharing->text, sharing->place));
  }
  if (const auto* chmod = options.find("chmod")) {
    INGOT_TRY(mount.mode, parse_mode(chmod->text, chmod->place, "--chmod"));
  }
  // Before there was --persist every cache did.
  const bool persists = options.has("persist") || !frame.has("cache-persist-option");
  if (persists) frame.progress.persistent_caches.push_back(mount);
  frame.progress.caches.push_back(std::move(mount));
  return {};
}

// A file system with what its persistent caches hold. They are seen at a place that is in no layer while they are
// copied.
Result<graph::StepId> Interpreter::with_persistent_caches(Frame& frame, const Progress& of, graph::StepId step,
                                                          const Place& place) {
  for (std::size_t i = 0; i < of.persistent_caches.size(); ++i) {
    graph::Mount cache = of.persistent_caches[i];
    const std::string to = shell_quoted({cache.target});
    cache.target = fmt::format("/dev/cache-{}", i);
    graph::ExecOp exec;
    exec.env = of.scope.env.entries();
    exec.platform = base::foreign_platform(of.platform);
    exec.command = fmt::format("mkdir -p {0} && cp -a {1}/. {0}/", to, cache.target);
    exec.mounts.push_back(std::move(cache));
    INGOT_TRY(step, add_step_to(frame, step, std::move(exec), "CACHE --persist " + to, place));
  }
  return step;
}

// HOST name address: what every RUN below finds in /etc/hosts.
Status Interpreter::host(Frame& frame, const Command& command) {
  if (command.words.size() != 2) {
    return fail_at(command.place, ErrorKind::syntax, "HOST takes a name and an address",
                   "such as HOST mirror 10.0.0.7");
  }
  INGOT_TRY(auto name, value_of(frame, command.words[0]));
  INGOT_TRY(auto address, value_of(frame, command.words[1]));
  if (name.empty() || name.find_first_of(" \t\n\r#") != std::string::npos) {
    return fail_at(command.words[0].place, ErrorKind::invalid, "\"" + base::printable(name) + "\" is no name of a host",
                   "such as HOST mirror 10.0.0.7");
  }
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  if (inet_pton(AF_INET, address.c_str(), parsed.data()) != 1 &&
      inet_pton(AF_INET6, address.c_str(), parsed.data()) != 1) {
    return fail_at(command.words[1].place, ErrorKind::invalid, "\"" + base::printable(address) + "\" is no IP address",
                   "such as 10.0.0.7 or fd00::7");
  }
  frame.progress.hosts.emplace_back(std::move(name), std::move(address));
  return {};
}

Status Interpreter::user(Frame& frame, const Command& command) {
  if (command.words.size() != 1) {
    return fail_at(command.place, ErrorKind::syntax, "USER takes one user", "such as USER build or USER 1000:1000");
  }
  INGOT_CHECK(current_step(frame, command));
  INGOT_TRY(frame.progress.user, value_of(frame, command.words.front()));
  return {};
}

}  // namespace ingot::earthfile
