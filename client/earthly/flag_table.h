#pragma once

#include <string>
#include <vector>

namespace ingot::client::earthly {

enum class FlagUse {
  taken,    // it does here what it does there
  idle,     // it asks for what is so anyway, or for nothing that a build depends on
  warned,   // it has no meaning here; a build without it is the same
  refused,  // a build without it would not be what was asked for
};

struct Flag {
  std::string name;                 // "allow-privileged", without dashes
  std::vector<std::string> others;  // "P"
  enum class Value { none, one, list } value = Value::none;
  std::vector<std::string> variables;  // of the environment, that say the same
  FlagUse use = FlagUse::taken;
  std::string note;  // of what is warned about or refused: why, and what to do instead
};

// The flags that stand before a target, as Earthly 0.8 has them.
const std::vector<Flag>& build_flags();
// Those behind the name of a command; nullptr where there is no such command. Their variables are empty.
const std::vector<Flag>* command_flags(const std::string& command);
// Commands of Earthly that do nothing here, with the reason; "" for others.
std::string without_effect(const std::string& command);
std::string refused_command(const std::string& command);
// All commands that are understood.
std::vector<std::string> commands();

const Flag* find_flag(const std::vector<Flag>& flags, const std::string& name);

}  // namespace ingot::client::earthly
