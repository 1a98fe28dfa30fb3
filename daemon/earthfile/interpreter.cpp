#include "daemon/earthfile/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kMostCommands = 50'000;
constexpr std::size_t kScopeBytesPerCommand = 4096;  // what copying a scope costs, told in commands
constexpr std::size_t kLargestMemory = 64U << 20;
constexpr std::size_t kDeepestReferences = 100;
constexpr std::size_t kMostListed = 12;

void collect_args(const std::vector<Command>& commands, std::set<std::string>& names) {
  for (const Command& command : commands) {
    if (command.name == "ARG") {
      auto name = std::find_if_not(command.words.begin(), command.words.end(),
                                   [](const Word& word) { return word.text.starts_with("--"); });
      if (name != command.words.end()) names.insert(name->text.substr(0, name->text.find('=')));
    }
    collect_args(command.body, names);
    collect_args(command.alternatives, names);
  }
}

// The ARGs that any recipe of the file declares.
std::set<std::string> all_args(const File& file) {
  std::set<std::string> names;
  collect_args(file.base, names);
  for (const auto* recipes : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *recipes) collect_args(recipe.commands, names);
  }
  return names;
}

std::string no_such_target_hint(const File& file, const std::string& name) {
  const auto names = target_names(file);
  if (names.empty()) return "it has no targets at all";
  std::string hint = base::did_you_mean(name, names);
  if (names.size() > kMostListed) return hint;
  return hint + (hint.empty() ? "" : " ") + "its targets are +" + base::join(names, ", +");
}

}  // namespace

Interpreter::Interpreter(const File& file, const Request& request, Host& host)
    : request_(request), host_(host), units_(file, host), anew_(request.anew.begin(), request.anew.end()) {}

// $PATH and $HOME are never empty in a container: where the image leaves them out, its runtime puts these in.
Lookup Interpreter::lookup(Frame& frame) {
  const auto variable = [&frame](const std::string& name) -> std::optional<std::string> {
    if (const std::string* value = frame.progress.scope.find(name)) return *value;
    if (name == "PATH") return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const std::string& user = frame.progress.user;
    if (name == "HOME" && (user.empty() || user == "root" || user == "0")) return "/root";
    return std::nullopt;
  };
  return {variable,
          [this, &frame](const std::string& command, const Place& place) { return shell_out(frame, command, place); }};
}

Result<std::string> Interpreter::value_of(Frame& frame, const Word& word) {
  return expand(word, lookup(frame));
}

Result<graph::StepId> Interpreter::current_step(Frame& frame, const Command& command) {
  if (frame.progress.step) return *frame.progress.step;
  if (frame.is_base || command.name == "RUN") {
    return fail_at(command.place, ErrorKind::invalid, command.name + " comes before any FROM",
                   "say what to start from, such as FROM debian:bookworm");
  }
  Command from;
  from.name = "FROM";
  from.arguments = "scratch";
  from.place = command.place;
  INGOT_CHECK(add_step(frame, from, graph::ImageOp{"scratch"}));
  return *frame.progress.step;
}

Status Interpreter::add_step(Frame& frame, const Command& command, graph::Operation operation) {
  const auto parent = frame.progress.step;
  INGOT_TRY(frame.progress.step, add_step_to(frame, parent, std::move(operation), command.text(), command.place));
  return {};
}

// An image stands on nothing, whatever the parent.
Result<graph::StepId> Interpreter::add_step_to(Frame& frame, std::optional<graph::StepId> parent,
                                               graph::Operation operation, const std::string& text,
                                               const Place& place) {
  graph::Step step;
  const bool is_image = std::holds_alternative<graph::ImageOp>(operation);
  step.operation = std::move(operation);
  if (!is_image) step.parent = parent;
  step.target = frame.target;
  step.text = text;
  step.position = place.position();
  step.anew = !is_image && anew_.contains(frame.target);
  met_.insert(frame.target);
  INGOT_TRY(const auto id, graph_.add(std::move(step)));
  if (frame.gives_results) wanted_.push_back(id);
  return id;
}

Status Interpreter::count_commands(const Place& place, std::size_t commands, std::size_t bytes) {
  commands_ += commands + bytes / kScopeBytesPerCommand;
  if (commands_ <= kMostCommands) return {};
  return fail_at(place, ErrorKind::too_large,
                 fmt::format("the target takes more than {} commands to interpret", kMostCommands),
                 "do its targets refer to each other over and over?");
}

// Whether this file may say the command, and this version of Ingot can do it.
Status Interpreter::check_command(const Frame& frame, const Command& command) {
  const CommandInfo& info = *find_command(command.name);  // the parser lets no other pass
  INGOT_CHECK(count_commands(command.place, 1));
  if (!info.feature.empty() && !frame.has(info.feature)) {
    return fail_at(command.place, ErrorKind::syntax, command.name + " " + how_to_get(info.feature),
                   "change the first line of the Earthfile");
  }
  if (info.state == CommandInfo::State::rejected) {
    return fail_at(command.place, ErrorKind::syntax, command.name + " is no command of Earthfiles",
                   std::string(info.hint));
  }
  if (info.state == CommandInfo::State::not_yet) {
    return fail_at(command.place, ErrorKind::unsupported, command.name + " is not understood by this version of Ingot",
                   std::string(info.hint));
  }
  return {};
}

Status Interpreter::command(Frame& frame, const Command& command) {
  using Member = Status (Interpreter::*)(Frame&, const Command&);
  static const std::map<std::string, Member> kMembers = {{"FROM", &Interpreter::from},
                                                         {"RUN", &Interpreter::run_command},
                                                         {"COPY", &Interpreter::copy},
                                                         {"SAVE ARTIFACT", &Interpreter::save_artifact},
                                                         {"WORKDIR", &Interpreter::working_directory},
                                                         {"FROM DOCKERFILE", &Interpreter::from_dockerfile},
                                                         {"USER", &Interpreter::user},
                                                         {"ARG", &Interpreter::arg},
                                                         {"LET", &Interpreter::let},
                                                         {"SET", &Interpreter::set},
                                                         {"ENV", &Interpreter::env},
                                                         {"BUILD", &Interpreter::build},
                                                         {"IF", &Interpreter::if_else},
                                                         {"FOR", &Interpreter::for_each},
                                                         {"WAIT", &Interpreter::wait},
                                                         {"DO", &Interpreter::call},
                                                         {"IMPORT", &Interpreter::import},
                                                         {"CACHE", &Interpreter::cache},
                                                         {"HOST", &Interpreter::host},
                                                         {"SAVE IMAGE", &Interpreter::save_image},
                                                         {"LABEL", &Interpreter::label},
                                                         {"ENTRYPOINT", &Interpreter::entrypoint},
                                                         {"CMD", &Interpreter::cmd},
                                                         {"EXPOSE", &Interpreter::expose},
                                                         {"VOLUME", &Interpreter::volume},
                                                         {"HEALTHCHECK", &Interpreter::healthcheck}};
  INGOT_CHECK(check_command(frame, command));
  auto member = kMembers.find(command.name);
  return member == kMembers.end() ? Status() : (this->*member->second)(frame, command);
}

Result<Progress> Interpreter::interpret_recipe(Frame frame, const std::vector<Command>& commands) {
  under_way_.push_back(frame.target);
  auto done = block(frame, commands);
  under_way_.pop_back();
  if (done) return std::move(frame.progress);
  // A reader looks for the error in the target that was asked for; elsewhere it needs the way there.
  if (frame.is_requested) return base::fail(done.error());
  return base::fail(base::with_context(done.error(), "in " + frame.target));
}

Status Interpreter::block(Frame& frame, const std::vector<Command>& commands) {
  for (const Command& one : commands) INGOT_CHECK(command(frame, one));
  return {};
}

// Beyond this much memory a recipe is interpreted anew each time that it is asked for.
bool Interpreter::may_remember(const Progress& progress) {
  remembered_bytes_ += progress.scope.bytes() + sizeof(Progress);
  return remembered_bytes_ <= kLargestMemory;
}

Result<Progress> Interpreter::base_recipe(const Unit& unit, const Overrides& overrides) {
  if (auto known = bases_.find({&unit, overrides}); known != bases_.end()) return known->second;
  INGOT_TRY(auto progress,
            interpret_recipe({&unit, unit.directory, unit.full_name("base"), true, false, false, overrides, {}},
                             unit.file.base));
  if (may_remember(progress)) bases_[{&unit, overrides}] = progress;
  return progress;
}

Result<const Recipe*> Interpreter::find_recipe(const Reference& wanted, const Place& from) const {
  const File& file = wanted.unit->file;
  auto by_name = [&](const Recipe& recipe) { return recipe.name == wanted.name; };
  auto target = std::find_if(file.targets.begin(), file.targets.end(), by_name);
  if (target != file.targets.end()) return &*target;
  if (std::any_of(file.functions.begin(), file.functions.end(), by_name)) {
    return fail_at(from, ErrorKind::not_found, fmt::format("{} is a function of {}, no target", wanted.name, file.name),
                   "functions are called by DO");
  }
  return fail_at(from, ErrorKind::not_found,
                 fmt::format("{} has no target \"+{}\"", file.name, base::printable(wanted.name)),
                 no_such_target_hint(file, wanted.name));
}

Result<Progress> Interpreter::target_recipe(const Reference& wanted, const Place& from, const Overrides& overrides,
                                            bool gives_results) {
  const std::string target = wanted.unit->full_name(wanted.name);
  const bool is_requested = under_way_.empty();
  auto known = targets_.find({wanted.unit, wanted.name, overrides, gives_results});
  if (known != targets_.end()) return known->second;
  INGOT_TRY(const Recipe* recipe, find_recipe(wanted, from));
  if (std::find(under_way_.begin(), under_way_.end(), target) != under_way_.end()) {
    return fail_at(from, ErrorKind::invalid,
                   fmt::format("{} stands on itself: {} -> {}", target, base::join(under_way_, " -> "), target),
                   "break the circle: one of these targets must not need the next");
  }
  if (under_way_.size() >= kDeepestReferences) {
    return fail_at(from, ErrorKind::too_large,
                   fmt::format("more than {} targets stand on each other here", kDeepestReferences));
  }
  Frame frame{wanted.unit, wanted.unit->directory, target, false, is_requested, gives_results, overrides, {}};
  under_way_.push_back(target);
  auto base = base_recipe(*wanted.unit, overrides);
  under_way_.pop_back();
  if (!base) return base::fail(base.error());
  frame.progress = std::move(*base);
  commands_ += frame.progress.scope.bytes() / kScopeBytesPerCommand;
  // LET stays in the base recipe; of its ARGs a target knows the globals.
  frame.progress.scope.lets = {};
  frame.progress.scope.args = {};
  INGOT_TRY(auto progress, interpret_recipe(std::move(frame), recipe->commands));
  if (may_remember(progress)) targets_[{wanted.unit, wanted.name, overrides, gives_results}] = progress;
  return progress;
}

Result<Progress> Interpreter::requested_base() {
  const Unit& unit = units_.first();
  return interpret_recipe({&unit, "", "+base", true, true, true, request_.overrides, {}}, unit.file.base);
}

void Interpreter::warn(const Place& place, std::string message, std::string hint) {
  Error error{ErrorKind::invalid, std::move(message), std::move(hint), {}, {}};
  if (place.source != nullptr) error.position = place.position();
  warnings_.push_back(proto::render(error));
}

// `.arg` files hold keys for many targets, so one that another target declares is no mistake; one that nobody declares
// is, and so is one that looks much like what this target asked for.
void Interpreter::warn_of_unknown_overrides() {
  const std::vector<std::string> here(declared_.begin(), declared_.end());
  const File& file = units_.first().file;
  const std::set<std::string> anywhere = all_args(file);
  for (const auto& [name, value] : request_.overrides) {
    if (is_builtin(name)) {
      warn({}, fmt::format("the value given for {} has no effect", name), "Ingot itself knows its value");
      continue;
    }
    if (anywhere.contains(name) || name == "SOURCE_DATE_EPOCH") continue;  // that one is for the images
    std::string hint = base::did_you_mean(name, here);
    if (hint.empty()) hint = base::did_you_mean(name, {anywhere.begin(), anywhere.end()});
    warn({}, fmt::format("no ARG of {} is called {}", file.name, base::printable(name)), hint);
  }
}

Status Interpreter::check_anew() const {
  for (const std::string& target : anew_) {
    const std::string name = target.substr(target.starts_with("+") ? 1 : 0);
    if (name == "base") continue;
    if (auto found = find_recipe({&units_.first(), name}, {}); !found) {
      return base::fail(base::with_context(found.error(), "in --no-cache=" + base::printable(target)));
    }
  }
  return {};
}

void Interpreter::warn_of_idle_anew() {
  for (const std::string& target : anew_) {
    if (met_.contains(target)) continue;
    warn({}, fmt::format("--no-cache={} has no effect: {} does not need that target", target,
                         base::printable(request_.target)));
  }
}

Result<Interpretation> Interpreter::run() {
  INGOT_CHECK(check_anew());
  const std::string name = request_.target.substr(request_.target.starts_with("+") ? 1 : 0);
  auto progress =
      name == "base" ? requested_base() : target_recipe({&units_.first(), name}, {}, request_.overrides, true);
  if (!progress && open_question_) return Interpretation{graph_.finish(wanted_), std::move(warnings_), open_question_};
  if (!progress) return base::fail(progress.error());
  if (progress->step) wanted_.push_back(*progress->step);
  warn_of_unknown_overrides();
  warn_of_idle_anew();
  return Interpretation{graph_.finish(wanted_), std::move(warnings_)};
}

Result<Interpretation> interpret(const File& file, const Request& request, Host& host) {
  return Interpreter(file, request, host).run();
}

}  // namespace ingot::earthfile
