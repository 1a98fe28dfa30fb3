#include <algorithm>
#include <filesystem>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

// LOCALLY: what the client does, on its own side, as the user who builds.
namespace ingot::earthfile {

namespace {

constexpr const char* kWhatItTakes =
    "LOCALLY takes RUN, COPY +target/path, SAVE ARTIFACT, WORKDIR, WITH DOCKER, variables, conditions, BUILD and DO; a "
    "FROM ends it";

// Seen from the place that it had so far; "" is the directory of the project itself.
std::string moved(const std::string& directory, const std::string& path) {
  std::string normal = (std::filesystem::path(directory) / path).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal == "." ? "" : normal;
}

// What others wrote is not done on this side, whoever calls it.
Status check_is_own(const Frame& frame, const Place& place) {
  if (frame.unit->checkout == nullptr) return {};
  return fail_at(place, ErrorKind::denied,
                 "what a function of another repository says is not done on your side, under LOCALLY",
                 "write the command into an Earthfile of your own");
}

}  // namespace

Status Interpreter::check_locally(const Frame& frame, const Command& command) const {
  const auto refuse = [&](const std::string& why, const char* cure) {
    return fail_at(command.place, ErrorKind::denied, why, cure);
  };
  if (frame.unit->checkout != nullptr || frame.checkout != nullptr) {
    return refuse("LOCALLY in a recipe of another repository is not followed: it would run its commands on your side",
                  "write the target into an Earthfile of your own");
  }
  if (frame.is_base) {
    return refuse("LOCALLY stands in a target, not above all of them", "move it into the targets that need it");
  }
  if (request_.locally == Request::Locally::denied_by_host) {
    return refuse("LOCALLY is not allowed by this host's configuration",
                  "`allow_locally: true` in the daemon's configuration allows it; its commands run on the client's "
                  "side, as the user who builds");
  }
  if (request_.locally == Request::Locally::denied_by_client) {
    return refuse("LOCALLY runs commands on the side of who builds, who did not allow it",
                  "`ingot build --allow-locally` does (without --strict; as earthly without --ci, too), and stays to "
                  "run them; a job of `submit` or `retry` has nobody who could");
  }
  return {};
}

// What follows is done in the directory of the target's Earthfile, with nothing of an image's environment.
Status Interpreter::locally(Frame& frame, const Command& command) {
  if (!command.words.empty()) {
    return fail_at(command.words.front().place, ErrorKind::syntax, "LOCALLY takes no arguments",
                   "its commands follow it, each on a line of its own");
  }
  INGOT_CHECK(check_locally(frame, command));
  INGOT_CHECK(add_step(frame, command, graph::ImageOp{"scratch"}));
  frame.progress.local = graph::LocalPlace{frame.context, frame.target};
  frame.progress.scope.env = {};
  frame.progress.working_dir = "/";
  frame.progress.user.clear();
  frame.progress.image = {};
  frame.progress.has_own_cmd = false;
  frame.progress.saved_image.clear();
  frame.progress.caches.clear();
  frame.progress.persistent_caches.clear();
  frame.progress.hosts.clear();
  return {};
}

// Of a recipe under LOCALLY: whether the command means anything there.
Status Interpreter::check_means_locally(const Frame& frame, const Command& command) {
  constexpr std::string_view kContainers[] = {"USER",   "CACHE",  "HOST",        "LABEL",      "CMD",      "ENTRYPOINT",
                                              "EXPOSE", "VOLUME", "HEALTHCHECK", "SAVE IMAGE", "GIT CLONE"};
  // What they set would stand around the caller's own commands; RUN, IF, FOR and $(...) come by run_there().
  constexpr std::string_view kOnlyOwn[] = {"COPY", "SAVE ARTIFACT", "ENV", "WORKDIR", "WITH DOCKER"};
  const auto is_in = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), command.name) != std::end(names);
  };
  if (!frame.progress.local) return {};
  if (is_in(kOnlyOwn)) return check_is_own(frame, command.place);
  if (!is_in(kContainers)) return {};
  return fail_at(command.place, ErrorKind::unsupported, command.name + " is about a container, and LOCALLY has none",
                 kWhatItTakes);
}

// Of RUN, IF, FOR and $(...): the client runs it, each time anew.
Status Interpreter::run_there(const Frame& frame, const Options& options, graph::ExecOp& exec, const Place& place) {
  INGOT_CHECK(check_is_own(frame, place));
  for (const auto& option : options.values) {
    constexpr std::string_view kOfContainers[] = {"mount", "privileged", "network", "entrypoint"};
    if (std::find(std::begin(kOfContainers), std::end(kOfContainers), option.name) == std::end(kOfContainers)) continue;
    return fail_at(option.place, ErrorKind::unsupported,
                   "--" + option.name + " is about a container, and LOCALLY has none",
                   "leave it out: the command sees what you see, and may do what you may");
  }
  exec.local = frame.progress.local;
  exec.no_cache = true;
  exec.platform.clear();
  exec.working_dir = "/";
  return {};
}

// WORKDIR makes no directory there: it would be a stranger in somebody's project.
void Interpreter::move_there(Frame& frame, const std::string& path) {
  auto& directory = frame.progress.local->directory;
  directory = moved(directory, path);
}

// COPY +target/path: first what is taken, as a file system of its own, then its way to the client.
Status Interpreter::copy_there(Frame& frame, const Command& command, graph::CopyOp op, const std::string& destination,
                               const std::vector<Word>& sources, const Options& options) {
  for (const auto* name : {"chown", "keep-own"}) {
    if (const auto* option = options.find(name)) {
      return fail_at(option->place, ErrorKind::unsupported,
                     std::string("--") + name + " has no effect under LOCALLY: the files are yours", "leave it out");
    }
  }
  graph::GiveOp give;
  give.place = *frame.progress.local;
  give.destination = destination;
  if (sources.size() > 1 && !means_directory(destination)) give.destination += "/";
  give.dir = op.dir;
  op.chown.clear();
  op.destination = "/";
  op.destination_is_directory = true;
  op.dir = true;
  for (const auto& word : sources) {
    const auto chain = frame.progress.step;
    Command silent = command;
    silent.name.clear();
    silent.arguments.clear();
    INGOT_TRY(frame.progress.step, add_step_to(frame, std::nullopt, graph::ImageOp{"scratch"}, "", command.place));
    const auto nothing = frame.progress.step;
    INGOT_CHECK(copy_artifact(frame, silent, op, word, options));
    const bool takes_any = frame.progress.step != nothing;
    give.from = *frame.progress.step;
    frame.progress.step = chain;
    if (takes_any) INGOT_CHECK(add_step(frame, command, give));
  }
  return {};
}

// SAVE ARTIFACT: from here on the files are a file system like any other.
Result<graph::StepId> Interpreter::take_from_there(Frame& frame, const Command& command, const std::string& source,
                                                   bool if_exists) {
  INGOT_CHECK(add_step(frame, command, graph::TakeOp{*frame.progress.local, source, if_exists}));
  return *frame.progress.step;
}

}  // namespace ingot::earthfile
