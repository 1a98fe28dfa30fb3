#include "client/earthly/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "client/earthly/flag_table.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"

namespace ingot::client::earthly {

namespace {

using base::fail;
using Value = Flag::Value;

// As Go reads it; none for any other text.
std::optional<bool> truth(const std::string& text) {
  static const std::set<std::string> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  static const std::set<std::string> kFalse = {"", "0", "f", "F", "false", "FALSE", "False"};
  if (kTrue.contains(text)) return true;
  if (kFalse.contains(text)) return false;
  return std::nullopt;
}

class Reader {
 public:
  Reader(const std::vector<std::string>& arguments, const World& world) : arguments_(arguments), world_(world) {}

  Result<CommandLine> run() {
    INGOT_CHECK(read_flags(build_flags()));
    if (at_ < arguments_.size()) INGOT_CHECK(read_command());
    INGOT_CHECK(read_environment());
    for (const auto& flag : off_) line_.flags.erase(flag);
    return std::move(line_);
  }

 private:
  static bool is_flag(const std::string& text) { return text.size() > 1 && text.front() == '-'; }

  // Up to the first word that is none.
  Status read_flags(const std::vector<Flag>& flags) {
    for (; at_ < arguments_.size() && is_flag(arguments_[at_]); ++at_) {
      if (arguments_[at_] == "--") {
        ++at_;
        break;
      }
      INGOT_CHECK(read_flag(flags, arguments_[at_]));
    }
    return {};
  }

  // One dash or two, its value behind `=` or in the next word.
  Status read_flag(const std::vector<Flag>& flags, const std::string& argument) {
    const std::size_t begin = argument.starts_with("--") ? 2 : 1;
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(begin, equals == std::string::npos ? equals : equals - begin);
    const std::string shown = argument.substr(0, equals);
    const Flag* flag = find_flag(flags, name);
    if (flag == nullptr) return unknown(flags, shown);
    std::string value = equals == std::string::npos ? "true" : argument.substr(equals + 1);
    if (flag->value != Value::none && equals == std::string::npos) {
      if (at_ + 1 == arguments_.size()) return fail(ErrorKind::usage, shown + " needs a value");
      value = arguments_[++at_];
    }
    return take(*flag, value, shown);
  }

  static tl::unexpected<Error> unknown(const std::vector<Flag>& flags, const std::string& name) {
    std::vector<std::string> names;
    names.reserve(flags.size());
    for (const auto& flag : flags) names.push_back("--" + flag.name);
    const std::string hint = base::did_you_mean(name, names);
    return fail(ErrorKind::usage, "there is no flag " + base::printable(name),
                hint.empty() ? "arguments of the Earthfile stand behind the target: +target --NAME=value" : hint);
  }

  // `by`: what people know it by, a flag or a variable.
  Status take(const Flag& flag, const std::string& value, const std::string& by) {
    if (flag.value == Value::none) {
      const auto on = truth(value);
      if (!on) {
        return fail(ErrorKind::usage, fmt::format("{} is true or false, not \"{}\"", by, base::printable(value)));
      }
      given_.insert(flag.name);
      if (!*on) {
        off_.insert(flag.name);
        return {};
      }
      off_.erase(flag.name);
    }
    given_.insert(flag.name);
    if (flag.use == FlagUse::refused) {
      return fail(ErrorKind::unsupported, by + " is nothing that Ingot can do", flag.note);
    }
    if (flag.use == FlagUse::warned) line_.warnings.push_back(by + " has no effect here: " + flag.note);
    line_.flags[flag.name].push_back(value);
    return {};
  }

  Status read_command() {
    const std::string& word = arguments_[at_];
    if (word.find('+') != std::string::npos) {
      line_.command = "build";
      line_.words.assign(arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
      return {};
    }
    line_.command = word;
    ++at_;
    if (const auto reason = without_effect(word); !reason.empty()) {
      line_.warnings.push_back("earthly " + word + " does nothing here: " + reason);
      return {};
    }
    if (const auto reason = refused_command(word); !reason.empty()) {
      return fail(ErrorKind::unsupported, "earthly " + word + " is nothing that Ingot can do", reason);
    }
    const auto* flags = command_flags(word);
    if (flags == nullptr) {
      std::string hint = base::did_you_mean(word, commands());
      if (hint.empty()) hint = "a target is written with a plus sign: +" + base::printable(word);
      return fail(ErrorKind::usage, "\"" + base::printable(word) + "\" is neither a target nor a command", hint);
    }
    while (at_ < arguments_.size()) {
      INGOT_CHECK(read_flags(*flags));
      if (at_ < arguments_.size()) line_.words.push_back(arguments_[at_++]);
    }
    return {};
  }

  Result<std::map<std::string, std::string>> dotenv() const {
    std::string path = line_.value("env-file-path");
    if (path.empty()) path = world_.variable("EARTHLY_ENV_FILE_PATH").value_or("");
    const bool named = !path.empty();
    if (!named) path = ".env";
    auto text = world_.file(path);
    if (text) {
      auto values = earthfile::parse_dotenv(*text, path);
      if (values) return values;
      Error error = values.error();
      if (error.position) error.position->source_line.clear();  // it may hold a secret
      return fail(std::move(error));
    }
    if (named || text.error().kind != ErrorKind::not_found) return fail(text.error());
    return std::map<std::string, std::string>{};
  }

  Status read_environment() {
    INGOT_TRY(const auto file, dotenv());
    for (const Flag& flag : build_flags()) {
      if (given_.contains(flag.name)) continue;
      for (const auto& name : flag.variables) {
        std::optional<std::string> value = world_.variable(name);
        const auto in_file = file.find(name);
        if (!value && in_file != file.end()) value = in_file->second;
        if (!value || value->empty()) continue;
        if (flag.value != Value::list) {
          INGOT_CHECK(take(flag, *value, name));
          break;
        }
        for (const auto& part : base::split(*value, ',')) INGOT_CHECK(take(flag, part, name));
        break;
      }
    }
    return {};
  }

  const std::vector<std::string>& arguments_;
  const World& world_;
  std::size_t at_ = 0;
  CommandLine line_;
  std::set<std::string> given_;
  std::set<std::string> off_;
};

}  // namespace

Result<CommandLine> read_command_line(const std::vector<std::string>& arguments, const World& world) {
  return Reader(arguments, world).run();
}

}  // namespace ingot::client::earthly
