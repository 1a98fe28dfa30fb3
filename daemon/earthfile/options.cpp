#include "daemon/earthfile/options.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::earthfile {

namespace {

tl::unexpected<Error> fail_at(const Word& word, ErrorKind kind, std::string message, std::string hint = {}) {
  return base::fail(Error{kind, std::move(message), std::move(hint), word.position, {}});
}

}  // namespace

Result<Options> parse_options(const Command& command, const std::vector<OptionInfo>& known, const Lookup& lookup) {
  Options options;
  std::size_t at = 0;
  for (; at < command.words.size(); ++at) {
    const Word& word = command.words[at];
    if (word.text == "--") {
      ++at;
      break;
    }
    if (!word.text.starts_with("--")) break;
    const std::size_t equals = word.text.find('=');
    const std::string name = word.text.substr(2, equals == std::string::npos ? equals : equals - 2);
    auto info = std::find_if(known.begin(), known.end(), [&](const auto& row) { return row.name == name; });
    if (info == known.end()) {
      std::vector<std::string> names;
      for (const auto& row : known) names.push_back("--" + row.name);
      return fail_at(word, ErrorKind::syntax, command.name + " has no flag --" + name,
                     base::did_you_mean("--" + name, names));
    }
    std::string value = "true";
    if (equals != std::string::npos) {
      INGOT_TRY(value, expand(word.text.substr(equals + 1), word.position, lookup));
    } else if (info->takes_value) {
      if (++at == command.words.size()) return fail_at(word, ErrorKind::syntax, word.text + " needs a value");
      INGOT_TRY(value, expand(command.words[at].text, command.words[at].position, lookup));
    }
    if (!info->takes_value && value != "true" && value != "false") {
      return fail_at(word, ErrorKind::invalid, "--" + name + " is true or false, not \"" + value + "\"");
    }
    if (!info->refused_because.empty() && value != "false") {
      return fail_at(word, ErrorKind::unsupported,
                     command.name + " --" + name + " is not understood by this version of Ingot",
                     info->refused_because);
    }
    options.values[name] = value;
  }
  options.rest.assign(command.words.begin() + static_cast<std::ptrdiff_t>(at), command.words.end());
  return options;
}

}  // namespace ingot::earthfile
