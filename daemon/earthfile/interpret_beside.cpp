#include <algorithm>

#include "daemon/earthfile/interpreter.h"

// What is done of a recipe while it waits for an image, or for what a command answers.
namespace ingot::earthfile {

namespace {

// Whether a word says at once what it means, whatever the variables are.
bool is_plain(const Word& word) {
  return word.text.find_first_of("$\"'\\()*?[") == std::string::npos;
}

}  // namespace

void Interpreter::use_the_wait() {
  if (wanted_.size() > begun_ && host_.may_begin()) {
    begun_ = wanted_.size();
    host_.begin(graph_.part(wanted_));
  }
  auto& under_way = strands_.current().under_way;
  for (auto& recipe : under_way) {
    if (recipe.commands == nullptr || recipe.has_looked_ahead) continue;
    recipe.has_looked_ahead = true;
    for (std::size_t i = recipe.next; i < recipe.commands->size(); ++i) {
      look_ahead(*recipe.frame, (*recipe.commands)[i]);
    }
  }
}

// The targets that a recipe is certain to come to, if it does not fail before. One that fails or is left open here does
// so again when it is come to.
void Interpreter::look_ahead(const Frame& frame, const Command& command) {
  // What the client does happens in the recipe's order, also in a target that is still to be come to.
  if (request_.locally == Request::Locally::allowed) return;
  if (command.words.empty() || command.words.front().text.starts_with("--")) return;
  if (command.name == "FROM" && command.words.size() == 1) begin_early(frame, command.words.front());
  if (command.name != "COPY") return;
  for (std::size_t i = 0; i + 1 < command.words.size(); ++i) {
    const std::string& word = command.words[i].text;
    const std::size_t plus = word.find('+');
    // Else the plus belongs to a file's name.
    if (plus != std::string::npos && word.find('/', plus) != std::string::npos) begin_early(frame, command.words[i]);
  }
}

void Interpreter::begin_early(const Frame& frame, const Word& word) {
  const std::size_t plus = word.text.find('+');
  if (plus == std::string::npos || !is_plain(word) || failure_ || !strands_.has_room()) return;
  const std::string text = word.text.substr(0, word.text.find('/', plus));
  Frame seen{frame.unit, frame.context, frame.target, frame.is_base, false, false, frame.overrides, {}, frame.checkout};
  seen.inherited = frame.inherited;
  seen.unprivileged_by = frame.unprivileged_by;
  seen.asked_by = frame.asked_by;
  seen.progress.imports = frame.progress.imports;
  const auto early = [this, seen = std::move(seen), word, text]() -> Status {
    INGOT_TRY(auto target, resolve(seen, word, text, false));
    const Overrides overrides = target.unit == seen.unit ? seen.overrides : Overrides();
    INGOT_CHECK(target_recipe(target, word.place, overrides, false, seen.inherited));
    return {};
  };
  (void)strands_.begin(early, [](const Error&) {});
}

// What an error of the last recipe says of the way there.
std::vector<std::string> Interpreter::context_of(const std::vector<RecipeUnderWay>& way) {
  std::vector<std::string> context;
  for (auto recipe = way.rbegin(); recipe != way.rend(); ++recipe) {
    if (!recipe->context.empty()) context.push_back(recipe->context);
  }
  return context;
}

// Of a strand that nobody waits for: `way` is what its beginner had under way.
void Interpreter::fail_late(Error error, const std::vector<RecipeUnderWay>& way) {
  if (failure_) return;
  for (auto& line : context_of(way)) error.context.push_back(std::move(line));
  failure_ = std::move(error);
  strands_.tell();
  host_.give_up(graph_.whole(wanted_));
}

// None: it is to be interpreted. Who interprets it now is waited for.
Result<std::optional<Progress>> Interpreter::known_target(const TargetKey& key) {
  for (;;) {
    if (auto known = targets_.find(key); known != targets_.end()) return std::optional(known->second);
    if (!being_interpreted_.contains(key)) return std::optional<Progress>();
    use_the_wait();
    const auto other = being_interpreted_.find(key);
    if (other == being_interpreted_.end()) continue;
    // Who is next to interpret it may stand on this one where that strand does not, so each is waited for by itself.
    const auto has_ended = [&, strand = other->second] {
      const auto now = being_interpreted_.find(key);
      return failure_ || now == being_interpreted_.end() || now->second != strand;
    };
    if (!strands_.wait_for(*other->second, has_ended)) return std::optional<Progress>();
    if (failure_) return base::fail(ErrorKind::canceled, "given up: what goes on beside it has failed");
  }
}

}  // namespace ingot::earthfile
