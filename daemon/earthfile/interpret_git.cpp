#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/git_facts.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

// Other repositories: references to their targets, GIT CLONE, and what the builtin arguments tell of git.
namespace ingot::earthfile {

namespace {

Error at_place(Error error, const Place& place) {
  if (!error.position && error.kind != ErrorKind::canceled) error.position = place.position();
  return base::without_credentials(std::move(error));
}

}  // namespace

// Equal ones are one step, whoever asks.
Result<graph::StepId> Interpreter::repository_files(const Frame& frame, const Repository& repository,
                                                    const Place& place) {
  constexpr std::size_t kEnough = 12;  // digits for people
  graph::Step step;
  step.operation = graph::GitOp{repository.url, repository.commit, repository.tag, repository.full_ref};
  step.target = frame.target;
  step.text = fmt::format("fetch {}{}{} at {}", repository.name, repository.ref.empty() ? "" : ":", repository.ref,
                          repository.commit.substr(0, kEnough));
  step.position = place.position();
  return graph_.add(std::move(step));
}

// "github.com/org/repo/directory:ref".
Result<const Unit*> Interpreter::unit_of_repository(const Frame& frame, const Word& word, const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string ref = colon < text.size() ? text.substr(colon + 1) : "";
  if (colon + 1 == text.size()) {
    return fail_at(word.place, ErrorKind::invalid, "\"" + base::printable(text) + "\" ends where its tag should stand",
                   "leave out the colon for the default branch");
  }
  if (text.find("//") != std::string::npos || text.find('@') < colon) {
    return base::fail(at_place({ErrorKind::invalid,
                                "\"" + base::printable(text) + "\" is a URL, and no reference to a repository",
                                "targets of another repository are github.com/organisation/repository:tag+target",
                                word.place.position(),
                                {}},
                               word.place));
  }
  auto found = aside([&] { return host_.repository(text.substr(0, colon), ref, frame.asked_by); });
  if (!found) return base::fail(at_place(found.error(), word.place));
  const Repository& repository = *found;
  const std::string key = repository.url + "\n" + repository.commit + "\n" + repository.ref;
  auto& checkout = checkouts_[key];
  if (!checkout) {
    INGOT_TRY(const auto files, repository_files(frame, repository, word.place));
    checkout = std::make_unique<const Checkout>(Checkout{repository, files});
  }
  return unit_in(checkout.get(), absolute("/", repository.directory).substr(1), word);
}

Result<std::string> Interpreter::file_of(const Checkout& checkout, const std::string& path, const Place& place) {
  INGOT_TRY(auto text, aside([&, state = graph_.up_to(checkout.files)] { return host_.step_file(state, "/" + path); }));
  if (!text) return leave_open(place);
  return *std::move(text);
}

// GIT CLONE [--branch REF] [--keep-ts] URL DIRECTORY.
Status Interpreter::git_clone(Frame& frame, const Command& command) {
  constexpr const char* kForm = "GIT CLONE [--branch NAME] [--keep-ts] https://host/org/repo.git directory";
  INGOT_TRY(auto options, parse_options(command, {{"branch", true, ""}, {"keep-ts", false, ""}}, lookup(frame)));
  INGOT_CHECK(current_step(frame, command));
  const auto words = options.words(command);
  if (words.size() != 2) {
    return fail_at(words.size() > 2 ? words[2].place : command.place, ErrorKind::syntax,
                   "GIT CLONE takes a repository and a directory", kForm);
  }
  INGOT_TRY(const auto url, value_of(frame, words[0]));
  INGOT_TRY(const auto directory, value_of(frame, words[1]));
  if (url.empty() || directory.empty()) {
    const Word& word = url.empty() ? words[0] : words[1];
    return fail_at(word.place, ErrorKind::invalid, "GIT CLONE " + word.text + ": this is empty here",
                   hint_for_empty(frame, word));
  }
  const auto* branch = options.find("branch");
  if (branch != nullptr && branch->text.empty()) branch = nullptr;  // of a variable without a value
  const std::string ref = branch == nullptr ? "" : branch->text;
  auto found = aside([&] { return host_.repository(url, ref, frame.asked_by); });
  if (!found) {
    // A name that is not there is the flag's fault.
    const std::string& message = found.error().message;
    const bool of_the_branch =
        branch != nullptr && message.find('"' + base::printable(branch->text) + '"') != std::string::npos;
    return base::fail(at_place(found.error(), of_the_branch ? branch->place : words[0].place));
  }
  graph::CopyOp op;
  INGOT_TRY(op.from, repository_files(frame, *found, words[0].place));
  op.sources = {"/"};
  op.destination = absolute(frame.progress.working_dir, directory);
  op.keep_ts = options.has("keep-ts");
  op.chown = frame.progress.user;
  return add_step(frame, command, std::move(op));
}

Result<std::map<std::string, std::string>> Interpreter::facts_of(const Checkout& checkout, const Place& place) {
  if (auto known = facts_.find(&checkout); known != facts_.end()) return known->second;
  INGOT_TRY(const auto details, file_of(checkout, checkout.repository.details_file, place));
  return facts_[&checkout] = git_facts(checkout.repository, details);
}

// The value of a builtin argument that this file has.
Result<std::string> Interpreter::builtin(Frame& frame, const Word& name) {
  BuiltinContext context;
  context.target = frame.target.substr(frame.target.rfind('+') + 1);
  context.directory = frame.context;
  context.push = request_.push;
  context.locally = frame.progress.local.has_value();
  context.target_platform = frame.progress.platform;
  context.user_platform = user_platform();
  context.names_author = frame.has("git-author-email-name-args");
  context.facts = request_.builtins;
  if (frame.checkout != nullptr) {
    const Repository& repository = frame.checkout->repository;
    context.facts = {{kProjectFact, repository.name},
                     {kTagFact, repository.ref.empty() ? repository.branch : repository.ref}};
    if (asks_git(name.text)) {
      INGOT_TRY(auto facts, facts_of(*frame.checkout, name.place));
      context.facts.merge(facts);
    }
  }
  return builtin_value(name.text, context);
}

}  // namespace ingot::earthfile
