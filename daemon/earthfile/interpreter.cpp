#include "daemon/earthfile/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"
#include "daemon/earthfile/shown_target.h"
#include "proto/types.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kScopeBytesPerCommand = 4096;  // what copying a scope costs, told in commands
constexpr std::size_t kLargestMemory = 64U << 20;
constexpr std::size_t kDeepestReferences = 100;
constexpr std::size_t kMostListed = 12;

// Of a chain of callers that goes round in a circle both ends say all.
Error with_short_chain(Error error) {
  constexpr std::size_t kMostTold = 16;
  auto& chain = error.context;
  if (chain.size() <= kMostTold) return error;
  const auto left_out = chain.size() - kMostTold;
  const auto begin = chain.begin() + kMostTold / 2;
  *begin = fmt::format("... and {} more", left_out + 1);
  chain.erase(begin + 1, begin + 1 + static_cast<std::ptrdiff_t>(left_out));
  return error;
}

// RUN looks by itself.
bool may_follow_push(const std::string& command) {
  constexpr std::string_view kNames[] = {"RUN", "SAVE ARTIFACT", "SAVE IMAGE", "SET",  "DO",     "IMPORT",
                                         "FOR", "WAIT",          "CACHE",      "HOST", "PROJECT"};
  return std::find(std::begin(kNames), std::end(kNames), command) != std::end(kNames);
}

std::string no_such_target_hint(const File& file, const std::string& name) {
  const auto names = target_names(file);
  if (names.empty()) return "it has no targets at all; one is a line such as build: with indented commands below it";
  std::string hint = base::did_you_mean(name, names);
  if (names.size() > kMostListed) return hint;
  return hint + (hint.empty() ? "" : " ") + "its targets are +" + base::join(names, ", +");
}

}  // namespace

Interpreter::Interpreter(const File& file, const Request& request, Host& host)
    : request_(request), host_(host), units_(file), anew_(request.anew.begin(), request.anew.end()) {}

Result<Options> Interpreter::options_of(Frame& frame, const Command& command, const std::vector<OptionInfo>& known) {
  return parse_options(command, known, lookup(frame),
                       [&frame](const std::string& feature) { return frame.has(feature); });
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

// An image and a repository stand on nothing, whatever the parent.
Result<graph::StepId> Interpreter::add_step_to(Frame& frame, std::optional<graph::StepId> parent,
                                               graph::Operation operation, const std::string& text,
                                               const Place& place) {
  graph::Step step;
  const bool is_image = std::holds_alternative<graph::ImageOp>(operation);
  const bool stands_on_nothing = is_image || std::holds_alternative<graph::GitOp>(operation);
  step.operation = std::move(operation);
  if (!stands_on_nothing) step.parent = parent;
  step.target = shown_target(frame.target, frame.progress.platform);
  step.text = text;
  step.position = place.position();
  step.anew = !is_image && anew_.contains(frame.target);
  step.keeps_failure = frame.tries && std::holds_alternative<graph::ExecOp>(step.operation);
  met_.insert(frame.target);
  INGOT_TRY(const auto id, graph_.add(std::move(step)));
  if (frame.gives_results) wanted_.push_back(id);
  return id;
}

Status Interpreter::count_commands(const Place& place, std::size_t commands, std::size_t bytes) {
  commands_ += commands + bytes / kScopeBytesPerCommand;
  if (commands_ <= request_.most_commands) return {};
  return fail_at(place, ErrorKind::too_large,
                 fmt::format("the target takes more than {} commands to interpret", request_.most_commands),
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
  if (request_.repeatable && command.name == "LOCALLY") {
    return fail_at(command.place, ErrorKind::denied,
                   "LOCALLY is not allowed here: what it does depends on who builds it",
                   "leave out --strict and --ci, or run it in a container");
  }
  return check_means_locally(frame, command);
}

Status Interpreter::command(Frame& frame, const Command& command) {
  if (failure_) return base::fail(ErrorKind::canceled, "given up: what goes on beside it has failed");
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
                                                         {"GIT CLONE", &Interpreter::git_clone},
                                                         {"WAIT", &Interpreter::wait},
                                                         {"TRY", &Interpreter::try_finally},
                                                         {"WITH DOCKER", &Interpreter::with_docker},
                                                         {"LOCALLY", &Interpreter::locally},
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
  if (!may_follow_push(command.name)) INGOT_CHECK(check_may_follow_push(frame, command));
  auto member = kMembers.find(command.name);
  return member == kMembers.end() ? Status() : (this->*member->second)(frame, command);
}

Result<Progress> Interpreter::interpret_recipe(Frame frame, const std::vector<Command>& commands) {
  auto& under_way = strands_.current().under_way;
  // A reader looks for the error in the target that was asked for; elsewhere it needs the way there.
  const std::string context = frame.is_requested ? "" : "in " + frame.target;
  under_way.push_back({frame.target, context, &frame, &commands});
  Status done;
  for (std::size_t i = 0; i < commands.size() && done; ++i) {
    under_way.back().next = i + 1;
    done = command(frame, commands[i]);
  }
  under_way.pop_back();
  if (done) return std::move(frame.progress);
  return base::fail(context.empty() ? done.error() : base::with_context(done.error(), context));
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

Result<Progress> Interpreter::base_recipe(const Reference& target, const Overrides& overrides,
                                          const Inherited& inherited) {
  const Unit& unit = *target.unit;
  const TargetKey key = key_of({&unit, "base", target.unprivileged_by, target.asked_by}, overrides, false, inherited);
  INGOT_TRY(auto known, known_target(key));
  if (known) return *std::move(known);
  return interpret_once(key, [&] {
    Frame frame{&unit, unit.directory, unit.full_name("base"), true, false, false, overrides, {}, unit.checkout};
    frame.inherited = inherited;
    frame.progress.platform = inherited.platform;
    frame.unprivileged_by = target.unprivileged_by;
    frame.asked_by = target.asked_by;
    return interpret_recipe(std::move(frame), unit.file.base);
  });
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
                                            bool gives_results, const Inherited& inherited) {
  const TargetKey key = key_of(wanted, overrides, gives_results, inherited);
  if (auto known = targets_.find(key); known != targets_.end()) return known->second;
  INGOT_TRY(const Recipe* recipe, find_recipe(wanted, from));
  // Before it waits for others: one of those may be what is under way here, and waits itself.
  INGOT_CHECK(check_way(wanted.unit->full_name(wanted.name), from));
  INGOT_TRY(auto known, known_target(key));
  if (known) return *std::move(known);
  return interpret_once(key, [&] { return interpret_target(wanted, *recipe, overrides, gives_results, inherited); });
}

// Whether the target may be interpreted on top of what is under way.
Status Interpreter::check_way(const std::string& target, const Place& from) {
  std::vector<std::string> names;
  for (const auto& recipe : strands_.current().under_way) names.push_back(recipe.name);
  if (std::find(names.begin(), names.end(), target) != names.end()) {
    return fail_at(from, ErrorKind::invalid,
                   fmt::format("{} stands on itself: {} -> {}", target, base::join(names, " -> "), target),
                   "break the circle: one of these targets must not need the next");
  }
  if (names.size() < kDeepestReferences) return {};
  return fail_at(from, ErrorKind::too_large,
                 fmt::format("more than {} targets stand on each other here", kDeepestReferences),
                 "let some of them start from an image: FROM debian:bookworm");
}

Result<Progress> Interpreter::interpret_target(const Reference& wanted, const Recipe& recipe,
                                               const Overrides& overrides, bool gives_results,
                                               const Inherited& inherited) {
  auto& under_way = strands_.current().under_way;
  const std::string target = wanted.unit->full_name(wanted.name);
  Frame frame{wanted.unit, wanted.unit->directory, target, false, under_way.empty(), gives_results, overrides,
              {},          wanted.unit->checkout};
  frame.inherited = inherited;
  frame.unprivileged_by = wanted.unprivileged_by;
  frame.asked_by = wanted.asked_by;
  under_way.push_back({target, ""});
  auto base = base_recipe(wanted, overrides, inherited);
  under_way.pop_back();
  if (!base) return base::fail(base.error());
  frame.progress = std::move(*base);
  commands_ += frame.progress.scope.bytes() / kScopeBytesPerCommand;
  // LET stays in the base recipe; of its ARGs a target knows the globals.
  frame.progress.scope.lets = {};
  frame.progress.scope.args = {};
  frame.progress.pushed.clear();
  return interpret_recipe(std::move(frame), recipe.commands);
}

Result<Progress> Interpreter::requested_base(const Inherited& inherited) {
  const Unit& unit = units_.first();
  Frame frame{&unit, "", "+base", true, true, true, request_.overrides, {}};
  frame.inherited = inherited;
  frame.progress.platform = inherited.platform;
  return interpret_recipe(std::move(frame), unit.file.base);
}

Result<Progress> Interpreter::requested(const std::string& name, const Inherited& inherited) {
  if (proto::names_repository(request_.target)) return requested_elsewhere(inherited);
  if (name == "base") return requested_base(inherited);
  return target_recipe({&units_.first(), name}, {}, request_.overrides, true, inherited);
}

// Who names another repository's target trusts it as if it were his own.
Result<Progress> Interpreter::requested_elsewhere(const Inherited& inherited) {
  if (!said_) said_ = std::make_unique<const text::Source>(request_.target, "command line");
  const Word word{request_.target, {said_.get(), 0}};
  Frame asking;
  asking.unit = &units_.first();
  asking.target = request_.target;
  INGOT_TRY(const auto target, resolve(asking, word, request_.target, true));
  requested_ = target.unit;
  return target_recipe(target, word.place, request_.overrides, true, inherited);
}

Result<Interpretation> Interpreter::run() {
  INGOT_CHECK(check_anew());
  const std::string name = request_.target.substr(request_.target.starts_with("+") ? 1 : 0);
  requested_ = &units_.first();
  std::vector<Inherited> platforms;
  for (const auto& platform : request_.platforms) platforms.push_back({platform, true});
  if (platforms.empty()) platforms.emplace_back();
  for (const auto& inherited : platforms) {
    if (failure_) break;
    const auto done = Strands::guarded([&]() -> Status {
      INGOT_TRY(const auto progress, requested(name, inherited));
      if (progress.step) wanted_.push_back(*progress.step);
      return {};
    });
    if (!done && !strands_.current().left_open) fail_late(done.error(), {});
  }
  strands_.join();
  if (auto checked = check_images_are_new(); !checked) fail_late(checked.error(), {});
  if (failure_) return base::fail(with_short_chain(*std::move(failure_)));
  if (!open_question_) {
    warn_of_unknown_overrides();
    warn_of_idle_anew();
  }
  return Interpretation{graph_.whole(wanted_), warnings(),
                        open_question_ ? std::optional(open_question_->second) : std::nullopt};
}

Result<Interpretation> interpret(const File& file, const Request& request, Host& host) {
  return Interpreter(file, request, host).run();
}

}  // namespace ingot::earthfile
