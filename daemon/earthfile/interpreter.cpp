#include "daemon/earthfile/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

tl::unexpected<Error> fail_at(const proto::Position& position, ErrorKind kind, std::string message, std::string hint) {
  return base::fail(Error{kind, std::move(message), std::move(hint), position, {}});
}

Interpreter::Interpreter(const File& file, const Request& request, Host& host)
    : file_(file), request_(request), host_(host) {}

bool Interpreter::own_scopes() const {
  return file_.at_least(8) || file_.has_feature("arg-scope-and-set");
}

Lookup Interpreter::lookup(const Recipe& recipe) const {
  return [&recipe](const std::string& name) { return recipe.progress.scope.find(name); };
}

Result<std::string> Interpreter::value_of(const Recipe& recipe, const Word& word) const {
  return expand(word.text, word.position, lookup(recipe));
}

Result<graph::StepId> Interpreter::current_step(const Recipe& recipe, const Command& command) const {
  if (recipe.progress.step) return *recipe.progress.step;
  return fail_at(command.position, ErrorKind::invalid, command.name + " comes before any FROM",
                 "say what the target starts from, such as FROM debian:bookworm");
}

void Interpreter::add_step(Recipe& recipe, const Command& command, graph::Operation operation) {
  graph::Step step;
  const bool is_image = std::holds_alternative<graph::ImageOp>(operation);
  step.operation = std::move(operation);
  if (!is_image) step.parent = recipe.progress.step;
  step.target = recipe.target;
  step.text = command.text();
  step.position = command.position;
  recipe.progress.step = result_.graph.steps.size();
  result_.graph.steps.push_back(std::move(step));
}

Status Interpreter::command(Recipe& recipe, const Command& command) {
  using Member = Status (Interpreter::*)(Recipe&, const Command&);
  static const std::map<std::string, Member> kMembers = {{"FROM", &Interpreter::from},
                                                         {"RUN", &Interpreter::run_command},
                                                         {"COPY", &Interpreter::copy},
                                                         {"SAVE ARTIFACT", &Interpreter::save_artifact},
                                                         {"WORKDIR", &Interpreter::working_directory},
                                                         {"USER", &Interpreter::user},
                                                         {"ARG", &Interpreter::arg},
                                                         {"LET", &Interpreter::let},
                                                         {"SET", &Interpreter::set},
                                                         {"ENV", &Interpreter::env}};
  if (auto member = kMembers.find(command.name); member != kMembers.end())
    return (this->*member->second)(recipe, command);
  const CommandInfo* info = find_command(command.name);
  // What only describes an image changes nothing of the files that a target hands out.
  if (info != nullptr && info->interpreted) return {};
  return fail_at(command.position, ErrorKind::unsupported, command.name + " is not understood by this version of Ingot",
                 info == nullptr ? "" : std::string(info->instead));
}

Result<Progress> Interpreter::base_recipe() {
  if (base_) return *base_;
  Recipe recipe;
  recipe.target = "+base";
  recipe.is_base = true;
  recipe.overrides = &request_.overrides;
  for (const auto& one : file_.base) INGOT_CHECK(command(recipe, one));
  base_ = recipe.progress;
  return *base_;
}

Result<Progress> Interpreter::target_recipe(const std::string& name, const proto::Position& from,
                                            const std::map<std::string, std::string>& overrides, bool is_requested) {
  auto target = std::find_if(file_.targets.begin(), file_.targets.end(), [&](const auto& t) { return t.name == name; });
  if (target == file_.targets.end()) {
    const auto names = target_names(file_);
    std::string hint = base::did_you_mean(name, names);
    if (hint.empty() && !names.empty() && names.size() <= 12) hint = "it has: +" + base::join(names, ", +");
    if (names.empty()) hint = "it has no targets at all";
    Error error{ErrorKind::not_found, fmt::format("{} has no target \"+{}\"", file_.name, name), hint, {}, {}};
    if (from.line > 0) error.position = from;
    return base::fail(std::move(error));
  }
  if (std::find(under_way_.begin(), under_way_.end(), name) != under_way_.end()) {
    return fail_at(from, ErrorKind::invalid,
                   fmt::format("+{} stands on itself: +{} -> +{}", name, base::join(under_way_, " -> +"), name));
  }
  under_way_.push_back(name);
  Recipe recipe;
  recipe.target = "+" + name;
  recipe.is_requested = is_requested;
  recipe.overrides = &overrides;
  INGOT_TRY(auto base, base_recipe());
  recipe.progress = base;
  // LET stays in the base recipe; its ARGs are what a target knows as globals.
  recipe.progress.scope.lets.clear();
  recipe.progress.scope.args.clear();
  for (const auto& one : target->commands) {
    if (auto done = command(recipe, one); !done) {
      Error error = done.error();
      if (!is_requested) error.context.push_back("in target +" + name);
      return base::fail(std::move(error));
    }
  }
  under_way_.pop_back();
  return recipe.progress;
}

// `.arg` files hold keys for many targets, so one that is not declared here is no mistake by itself; one that looks
// like a declared one is.
void Interpreter::warn_of_near_misses() {
  const std::vector<std::string> names(declared_.begin(), declared_.end());
  for (const auto& [name, value] : request_.overrides) {
    if (declared_.contains(name)) continue;
    const std::string hint = base::did_you_mean(name, names);
    if (!hint.empty()) result_.warnings.push_back(fmt::format("no ARG is called {}: {}", name, hint));
  }
}

Result<Interpretation> Interpreter::run() {
  const std::string name = request_.target.substr(request_.target.starts_with("+") ? 1 : 0);
  if (name == "base") {
    INGOT_CHECK(base_recipe());
  } else {
    INGOT_CHECK(target_recipe(name, {}, request_.overrides, true));
  }
  warn_of_near_misses();
  return std::move(result_);
}

Result<Interpretation> interpret(const File& file, const Request& request, Host& host) {
  return Interpreter(file, request, host).run();
}

}  // namespace ingot::earthfile
