#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "daemon/app/config.h"
#include "daemon/base/strings.h"
#include "daemon/image/source.h"
#include "daemon/sys/files.h"

namespace ingot::app {

namespace {

using base::fail;

const ConfigKey* find_key(const std::string& name) {
  const auto& keys = config_keys();
  auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names = {kImagesKey, kRepositoriesKey};
  for (const auto& key : config_keys()) names.push_back(key.name);
  return names;
}

// Reads one YAML text into a Config and collects every mistake with its place.
class ConfigReader {
 public:
  ConfigReader(std::string text, std::string file, Config& config, std::vector<Error>& errors)
      : file_(std::move(file)),
        lines_(base::split(text, '\n')),
        text_(std::move(text)),
        config_(config),
        errors_(errors) {}

  void read() {
    YAML::Node root;
    try {
      root = YAML::Load(text_);
    } catch (const YAML::Exception& problem) {
      complain(problem.mark, ErrorKind::syntax, "this is no YAML: " + problem.msg);
      return;
    }
    if (root.IsNull()) return;
    if (!root.IsMap()) {
      complain(root.Mark(), ErrorKind::invalid, "a configuration is a map of keys", "see the example configuration");
      return;
    }
    for (const auto& pair : root) read_entry("", pair.first, pair.second);
  }

  std::vector<image::SourceRule> read_rules(const YAML::Node& list) {
    return read_list<image::SourceRule>(list, "`images` must be a list of rules",
                                        "such as - {match: \"debian:*\", source: bootstrap}",
                                        [this](const YAML::Node& row) { return read_rule(row); });
  }

  std::vector<git::Rule> read_repositories(const YAML::Node& list) {
    return read_list<git::Rule>(list, "`repositories` must be a list of rules",
                                "such as - {match: \"github.com/*/*\", url: \"https://mirror.example/{path}.git\"}",
                                [this](const YAML::Node& row) { return read_repository(row); });
  }

 private:
  // Of rows that are wrong each is complained of, and none is taken.
  template <typename Row, typename ReadRow>
  std::vector<Row> read_list(const YAML::Node& list, const std::string& complaint, const std::string& example,
                             const ReadRow& read_row) {
    std::vector<Row> rows;
    if (!list.IsSequence()) {
      complain(list.Mark(), ErrorKind::invalid, complaint, example);
      return rows;
    }
    for (const auto& node : list) {
      if (auto row = read_row(node)) rows.push_back(std::move(*row));
    }
    return rows;
  }

  void complain(const YAML::Mark& mark, ErrorKind kind, std::string message, std::string hint = {}) {
    Error error;
    error.kind = kind;
    error.message = std::move(message);
    error.hint = std::move(hint);
    proto::Position position;
    position.file = file_;
    if (!mark.is_null()) {
      position.line = mark.line + 1;
      position.column = mark.column + 1;
      if (static_cast<std::size_t>(mark.line) < lines_.size()) {
        position.source_line = lines_[static_cast<std::size_t>(mark.line)];
      }
    }
    error.position = std::move(position);
    errors_.push_back(std::move(error));
  }

  void read_entry(const std::string& section, const YAML::Node& key_node, const YAML::Node& value) {
    const std::string name = section + (key_node.IsScalar() ? key_node.Scalar() : "?");
    if (section.empty() && name == kImagesKey) {
      config_.images = read_rules(value);
      return;
    }
    if (section.empty() && name == kRepositoriesKey) {
      config_.repositories = read_repositories(value);
      return;
    }
    if (const ConfigKey* key = find_key(name)) return set(*key, value);
    const auto names = key_names();
    const bool is_section =
        std::any_of(names.begin(), names.end(), [&](const auto& known) { return known.starts_with(name + "."); });
    if (!is_section) {
      complain(key_node.Mark(), ErrorKind::invalid, "there is no key \"" + name + "\"",
               base::did_you_mean(name, names));
    } else if (value.IsMap()) {
      for (const auto& pair : value) read_entry(name + ".", pair.first, pair.second);
    } else if (!value.IsNull()) {
      complain(value.Mark(), ErrorKind::invalid, "\"" + name + "\" is a section: a map of keys");
    }
  }

  void set(const ConfigKey& key, const YAML::Node& value) {
    std::string text;
    if (value.IsScalar())
      text = value.Scalar();
    else if (value.IsSequence() && key.value == "LIST") {
      for (const auto& element : value)
        text += (text.empty() ? "" : ",") + (element.IsScalar() ? element.Scalar() : "");
    } else if (!value.IsNull()) {
      complain(value.Mark(), ErrorKind::invalid,
               fmt::format("\"{}\" must be one value, not a {}", key.name, value.IsMap() ? "map" : "list"));
      return;
    }
    if (auto done = key.assign(config_, text); !done) {
      complain(value.Mark(), ErrorKind::invalid, key.name + ": " + done.error().message, done.error().hint);
    }
  }

  std::optional<image::SourceRule> read_rule(const YAML::Node& row) {
    if (!row.IsMap()) {
      complain(row.Mark(), ErrorKind::invalid, "a rule of `images` is a map with `match` and `source`");
      return std::nullopt;
    }
    static const std::vector<std::string> kOptions = {"match", "source", "suite",    "mirror",   "variant", "include",
                                                      "path",  "prefix", "insecure", "authfile", "cert_dir"};
    image::SourceRule rule;
    for (const auto& pair : row) {
      const std::string name = pair.first.Scalar();
      if (!pair.second.IsScalar()) {
        complain(pair.second.Mark(), ErrorKind::invalid, "\"" + name + "\" of a rule must be one value");
      } else if (name == "match") {
        rule.match = pair.second.Scalar();
      } else if (name == "source") {
        rule.kind = pair.second.Scalar();
        if (image::find_source(rule.kind) == nullptr) {
          complain(pair.second.Mark(), ErrorKind::invalid,
                   fmt::format("\"{}\" is no image source: {}", rule.kind, base::join(image::source_kinds(), ", ")),
                   base::did_you_mean(rule.kind, image::source_kinds()));
        }
      } else if (std::find(kOptions.begin(), kOptions.end(), name) != kOptions.end()) {
        rule.options[name] = pair.second.Scalar();
      } else {
        complain(pair.first.Mark(), ErrorKind::invalid, "a rule of `images` has no option \"" + name + "\"",
                 base::did_you_mean(name, kOptions));
      }
    }
    if (rule.match.empty() || rule.kind.empty()) {
      complain(row.Mark(), ErrorKind::invalid, "a rule of `images` needs `match` and `source`");
      return std::nullopt;
    }
    return rule;
  }

  std::optional<git::Rule> read_repository(const YAML::Node& row) {
    if (!row.IsMap()) {
      complain(row.Mark(), ErrorKind::invalid, "a rule of `repositories` is a map with `match`");
      return std::nullopt;
    }
    static const std::vector<std::string> kOptions = {"match", "url", "ca_file", "pass_credentials"};
    git::Rule rule;
    for (const auto& pair : row) {
      const std::string name = pair.first.Scalar();
      if (!pair.second.IsScalar()) {
        complain(pair.second.Mark(), ErrorKind::invalid, "\"" + name + "\" of a rule must be one value");
      } else if (name == "match") {
        rule.match = pair.second.Scalar();
      } else if (name == "url") {
        rule.url = pair.second.Scalar();
      } else if (name == "ca_file") {
        rule.ca_file = pair.second.Scalar();
      } else if (name == "pass_credentials") {
        const std::string text = pair.second.Scalar();
        rule.pass_credentials = text == "true";
        if (text != "true" && text != "false") {
          complain(pair.second.Mark(), ErrorKind::invalid, "`pass_credentials` is true or false");
        }
      } else {
        complain(pair.first.Mark(), ErrorKind::invalid, "a rule of `repositories` has no option \"" + name + "\"",
                 base::did_you_mean(name, kOptions));
      }
    }
    if (auto ok = git::check_rule(rule); !ok) {
      complain(row.Mark(), ErrorKind::invalid, "a rule of `repositories`: " + ok.error().message, ok.error().hint);
      return std::nullopt;
    }
    return rule;
  }

  std::string file_;
  std::vector<std::string> lines_;
  std::string text_;
  Config& config_;
  std::vector<Error>& errors_;
};

void apply_overrides(const std::map<std::string, std::string>& given, bool from_flags, Config& config,
                     std::vector<Error>& errors) {
  for (const auto& [name, text] : given) {
    const std::string where = from_flags ? "flag " + name : "environment variable " + name;
    if (name == (from_flags ? kImagesFlag : kImagesEnvironment)) {
      auto rules = images_from_yaml(text, where);
      if (rules)
        config.images = std::move(*rules);
      else
        errors.push_back(rules.error());
      continue;
    }
    if (name == (from_flags ? kRepositoriesFlag : kRepositoriesEnvironment)) {
      auto rules = repositories_from_yaml(text, where);
      if (rules)
        config.repositories = std::move(*rules);
      else
        errors.push_back(rules.error());
      continue;
    }
    const auto& keys = config_keys();
    auto key = std::find_if(keys.begin(), keys.end(), [&, &name = name](const auto& row) {
      return (from_flags ? row.flag : row.environment) == name;
    });
    if (key == keys.end()) continue;
    if (auto done = key->assign(config, text); !done) {
      errors.push_back(base::with_context(done.error(), "in " + where));
    }
  }
}

}  // namespace

namespace {

// One key's list alone, as a flag or a variable has it.
Result<Config> config_of_list(const char* key, const std::string& yaml, const std::string& file) {
  Config config;
  std::vector<Error> errors;
  ConfigReader(std::string(key) + ": " + yaml, file, config, errors).read();
  if (errors.empty()) return config;
  // The key in front is ours, so a column would mislead.
  errors.front().position->column = 0;
  errors.front().position->source_line.clear();
  return fail(errors.front());
}

}  // namespace

Result<std::vector<image::SourceRule>> images_from_yaml(const std::string& yaml, const std::string& file) {
  INGOT_TRY(auto config, config_of_list(kImagesKey, yaml, file));
  return std::move(config.images);
}

Result<std::vector<git::Rule>> repositories_from_yaml(const std::string& yaml, const std::string& file) {
  INGOT_TRY(auto config, config_of_list(kRepositoriesKey, yaml, file));
  return std::move(config.repositories);
}

tl::expected<Config, std::vector<Error>> load_config(const ConfigSources& sources) {
  Config config;
  std::vector<Error> errors;
  for (const auto& key : config_keys()) {
    if (auto done = key.assign(config, key.default_text); !done) errors.push_back(done.error());
  }
  config.images = image::default_rules();
  config.repositories = git::default_rules();
  if (!sources.file.empty()) {
    auto text = sys::read_file(sources.file, 1U << 20);
    if (text)
      ConfigReader(*text, sources.file, config, errors).read();
    else if (sources.file_must_exist || text.error().kind != ErrorKind::not_found)
      errors.push_back(text.error());
  }
  apply_overrides(sources.environment, false, config, errors);
  apply_overrides(sources.flags, true, config, errors);
  if (!errors.empty()) return tl::unexpected<std::vector<Error>>(std::move(errors));
  return config;
}

}  // namespace ingot::app
