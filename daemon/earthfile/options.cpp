#include "daemon/earthfile/options.h"

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/language.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

namespace {

std::string spelled(const OptionInfo& info) {
  return (info.name.size() == 1 ? "-" : "--") + info.name;
}

bool is_flag(const std::string& word, const std::vector<OptionInfo>& known) {
  if (word.starts_with("--")) return true;
  const std::string flag = word.substr(0, word.find('='));
  return flag.starts_with('-') &&
         std::any_of(known.begin(), known.end(), [&](const auto& row) { return spelled(row) == flag; });
}

tl::unexpected<Error> unknown_flag(const Command& command, const Word& word, const std::string& flag,
                                   const std::vector<OptionInfo>& known) {
  std::vector<std::string> flags;
  for (const auto& row : known) {
    if (row.refused_as != ErrorKind::syntax) flags.push_back(spelled(row));
  }
  std::string hint = base::did_you_mean(flag, flags);
  if (hint.empty()) hint = flags.empty() ? command.name + " has none" : "it has " + base::join(flags, ", ");
  return fail_at(word.place, ErrorKind::syntax, command.name + " has no flag " + base::printable(flag), hint);
}

tl::unexpected<Error> refused(const Command& command, const Word& word, const OptionInfo& info) {
  const std::string flag = command.name + " --" + info.name;
  if (info.refused_as == ErrorKind::syntax) {
    return fail_at(word.place, ErrorKind::syntax, "there is no " + flag, info.instead);
  }
  if (!info.why.empty()) return fail_at(word.place, info.refused_as, flag + " is refused: " + info.why, info.instead);
  return fail_at(word.place, info.refused_as, flag + " is not understood by this version of Ingot", info.instead);
}

}  // namespace

const Options::Value* Options::find(const std::string& name) const {
  auto found = std::find_if(values.rbegin(), values.rend(), [&](const Value& value) { return value.name == name; });
  return found == values.rend() ? nullptr : &*found;
}

bool Options::has(const std::string& name) const {
  const Value* value = find(name);
  return value != nullptr && value->text == "true";
}

std::vector<Word> Options::words(const Command& command) const {
  return {command.words.begin() + static_cast<std::ptrdiff_t>(first_word), command.words.end()};
}

Result<Options> parse_options(const Command& command, const std::vector<OptionInfo>& known, const Lookup& lookup,
                              const std::function<bool(const std::string& feature)>& has) {
  Options options;
  std::size_t at = 0;
  for (; at < command.words.size() && is_flag(command.words[at].text, known); ++at) {
    const Word& word = command.words[at];
    if (word.text == "--") {
      ++at;
      break;
    }
    const std::size_t equals = std::min(word.text.find('='), word.text.size());
    const std::string flag = word.text.substr(0, equals);
    auto info = std::find_if(known.begin(), known.end(), [&](const auto& row) { return spelled(row) == flag; });
    if (info == known.end()) return unknown_flag(command, word, flag, known);
    Options::Value value{info->name, "true", word.place};
    if (equals < word.text.size()) {
      value.written = {word.text.substr(equals + 1), word.place.plus(equals + 1)};
      INGOT_TRY(value.text, expand(value.written, lookup));
    } else if (info->takes_value) {
      if (++at == command.words.size()) {
        return fail_at(word.place, ErrorKind::syntax, flag + " needs a value", flag + "=...");
      }
      value.written = command.words[at];
      INGOT_TRY(value.text, expand(value.written, lookup));
    }
    if (!info->takes_value && value.text != "true" && value.text != "false") {
      return fail_at(word.place, ErrorKind::invalid,
                     flag + " is true or false, not \"" + base::printable(value.text) + "\"",
                     "\"" + flag + "\" alone means true");
    }
    if (!info->feature.empty() && value.text != "false" && has && !has(info->feature)) {
      return fail_at(word.place, ErrorKind::syntax,
                     command.name + " " + spelled(*info) + " " + how_to_get(info->feature),
                     "change the first line of the Earthfile");
    }
    if (!info->instead.empty() && value.text != "false") return refused(command, word, *info);
    options.values.push_back(std::move(value));
  }
  options.first_word = at;
  return options;
}

}  // namespace ingot::earthfile
