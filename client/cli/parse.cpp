#include "client/cli/parse.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using base::fail;

// Flags are read by hand and not by a library: behind +target they belong to the Earthfile, whatever they are called,
// and every mistake gets its nearest neighbour of the same table.
class ArgumentReader {
 public:
  explicit ArgumentReader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<Invocation> run() {
    bool only_words = false;
    for (; at_ < arguments_.size(); ++at_) {
      const std::string& argument = arguments_[at_];
      const bool rest = command_ != nullptr && command_->words_begin_rest && !invocation_.words.empty();
      if (invocation_.command.empty() && argument == "--version") {
        INGOT_CHECK(word("version"));
      } else if (only_words || rest || argument.size() < 2 || argument.front() != '-') {
        INGOT_CHECK(word(argument));
      } else if (argument == "--") {
        only_words = true;
      } else {
        INGOT_CHECK(flag(argument));
      }
    }
    return std::move(invocation_);
  }

 private:
  Status word(const std::string& argument) {
    if (!invocation_.command.empty()) {
      invocation_.words.push_back(argument);
      return {};
    }
    command_ = find_command(argument);
    invocation_.command = argument;
    if (command_ != nullptr || argument == "__complete") return {};
    std::vector<std::string> names;
    for (const auto& row : command_table()) names.push_back(row.name);
    std::string hint = base::did_you_mean(argument, names);
    if (argument.starts_with('+')) hint = "to build it: ingot build " + argument;
    return fail(ErrorKind::usage, "there is no command \"" + base::printable(argument) + "\"",
                hint.empty() ? "`ingot help` lists the commands" : hint);
  }

  const FlagInfo* find(const std::string& name) const {
    auto same = [&](const FlagInfo& row) {
      return row.name == name || (!row.short_name.empty() && row.short_name == name);
    };
    const auto& global = global_flags();
    if (command_ != nullptr) {
      auto own = std::find_if(command_->flags.begin(), command_->flags.end(), same);
      if (own != command_->flags.end()) return &*own;
    }
    auto found = std::find_if(global.begin(), global.end(), same);
    return found == global.end() ? nullptr : &*found;
  }

  Status flag(const std::string& argument) {
    const bool is_long = argument.starts_with("--");
    const std::size_t equals = is_long ? argument.find('=') : std::string::npos;
    const std::string name = is_long ? argument.substr(0, equals) : argument.substr(0, 2);
    const FlagInfo* info = find(name);
    if (info == nullptr) return unknown(name);
    std::string value = "true";
    if (info->value.empty()) {
      if (equals != std::string::npos || (!is_long && argument.size() > 2)) {
        return fail(ErrorKind::usage, name + " takes no value");
      }
    } else if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
      if (value.empty() && info->value_optional) {
        return fail(ErrorKind::usage, name + "= needs a value: " + info->synopsis());
      }
    } else if (info->value_optional) {
      value.clear();
    } else if (!is_long && argument.size() > 2) {
      value = argument.substr(2);
    } else if (at_ + 1 < arguments_.size()) {
      value = arguments_[++at_];
    } else {
      return fail(ErrorKind::usage, name + " needs a value: " + name + " " + info->value);
    }
    invocation_.flags[info->name].push_back(value);
    return {};
  }

  tl::unexpected<Error> unknown(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& row : global_flags()) names.push_back(row.name);
    if (command_ != nullptr) {
      for (const auto& row : command_->flags) names.push_back(row.name);
    }
    std::string hint = base::did_you_mean(name, names);
    if (command_ != nullptr && command_->words_begin_rest && hint.empty()) {
      hint =
          "arguments of the Earthfile stand behind the target: ingot " + command_->name + " +target " + name + "=...";
    }
    const std::string of = command_ == nullptr ? "ingot" : "ingot " + command_->name;
    return fail(ErrorKind::usage, of + " has no flag " + base::printable(name),
                hint.empty() ? "`" + of + " --help` lists them" : hint);
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  const CommandInfo* command_ = nullptr;
  Invocation invocation_;
};

}  // namespace

Result<Invocation> parse_arguments(const std::vector<std::string>& arguments) {
  return ArgumentReader(arguments).run();
}

}  // namespace ingot::client
