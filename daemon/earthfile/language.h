#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::earthfile {

// Every command of the language.
struct CommandInfo {
  enum class State {
    interpreted,
    without_effect,  // accepted, and of no use here
    rejected,        // known from Dockerfiles, and no part of the language: `hint` says what there is instead
    structure,       // VERSION, END and the like: the parser uses them up
  };
  std::string_view name;
  State state = State::interpreted;
  std::string_view hint;
  std::string_view feature;  // of the language, without which the command is not known
};
const std::vector<CommandInfo>& commands();
const CommandInfo* find_command(std::string_view name);
std::vector<std::string> command_names();

// How a command takes part in a block that END closes.
enum class BlockRole { none, opens, continues, closes };
BlockRole block_role(std::string_view command);
// Of a command that continues a block: the command that must have opened it.
std::string_view block_opener(std::string_view command);

// What versions and the flags of VERSION turn on.
struct FeatureInfo {
  std::string_view name;  // the flag, without "--"
  int since_minor = 0;    // part of VERSION 0.<since_minor>; 0: only ever by its flag
};
const std::vector<FeatureInfo>& features();
const FeatureInfo* find_feature(std::string_view name);
std::vector<std::string> feature_flags();  // "--name", for suggestions
// "needs VERSION 0.8, or VERSION --arg-scope-and-set": the words for a feature that is off.
std::string how_to_get(std::string_view feature);

}  // namespace ingot::earthfile
