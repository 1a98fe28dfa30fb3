#include "daemon/earthfile/tree_builder.h"

#include <fmt/format.h>

#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kDeepestNesting = 100;

Error syntax_error(const Place& place, std::string message, std::string hint) {
  return {ErrorKind::syntax, std::move(message), std::move(hint), place.position(), {}};
}

}  // namespace

std::vector<Command>& TreeBuilder::innermost() {
  if (open_.empty()) return done_;
  Command& block = open_.back();
  return block.alternatives.empty() ? block.body : block.alternatives.back().body;
}

void TreeBuilder::add(Command command) {
  const BlockRole role = block_role(command.name);
  if (too_deep_ > 0) {
    if (role == BlockRole::opens) ++too_deep_;
    if (role == BlockRole::closes) --too_deep_;
    return;
  }
  switch (role) {
    case BlockRole::none:
      return innermost().push_back(std::move(command));
    case BlockRole::opens:
      return open(std::move(command));
    case BlockRole::continues:
      return continue_block(std::move(command));
    case BlockRole::closes:
      return close(command);
  }
}

void TreeBuilder::open(Command command) {
  if (open_.size() == kDeepestNesting) {
    errors_.push_back(syntax_error(command.place, fmt::format("blocks are nested deeper than {}", kDeepestNesting),
                                   "move the inner ones into a target of their own"));
    ++too_deep_;
    return;
  }
  open_.push_back(std::move(command));
}

void TreeBuilder::continue_block(Command command) {
  const std::string_view opener = block_opener(command.name);
  if (open_.empty() || open_.back().name != opener) {
    const std::string inside = open_.empty() ? ""
                                             : fmt::format(": the innermost open block is {} in line {}",
                                                           open_.back().name, open_.back().place.position().line);
    errors_.push_back(syntax_error(command.place, fmt::format("{} stands in no {}{}", command.name, opener, inside),
                                   fmt::format("{} belongs between {} and its END", command.name, opener)));
    return;
  }
  auto& alternatives = open_.back().alternatives;
  const bool last_said =
      !alternatives.empty() && (alternatives.back().name == "ELSE" || alternatives.back().name == "FINALLY");
  if (last_said) {
    errors_.push_back(syntax_error(
        command.place,
        fmt::format("{} stands behind the {} of the same {}", command.name, alternatives.back().name, opener),
        fmt::format("{} comes last, once", alternatives.back().name)));
    return;
  }
  alternatives.push_back(std::move(command));
}

void TreeBuilder::close(const Command& end) {
  if (!end.words.empty()) {
    errors_.push_back(syntax_error(end.words.front().place, "END stands alone on its line", "remove what follows it"));
  }
  if (open_.empty()) {
    errors_.push_back(syntax_error(end.place, "this END closes nothing",
                                   "remove it, or add the IF, FOR, WAIT, TRY or WITH DOCKER that it belongs to"));
    return;
  }
  Command block = std::move(open_.back());
  open_.pop_back();
  innermost().push_back(std::move(block));
}

std::vector<Command> TreeBuilder::finish() {
  for (const Command& block : open_) {
    errors_.push_back(syntax_error(block.place, block.name + " has no END", "add END behind its last command"));
  }
  open_.clear();
  too_deep_ = 0;
  return std::exchange(done_, {});
}

}  // namespace ingot::earthfile
