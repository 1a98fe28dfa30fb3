#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "daemon/app/config.h"
#include "daemon/app/config_lists.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::app {

namespace {

const ConfigKey* find_key(const std::string& name) {
  const auto& keys = config_keys();
  auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

const ConfigList* find_list(const std::string& name) {
  const auto& lists = config_lists();
  auto found = std::find_if(lists.begin(), lists.end(), [&](const auto& list) { return list.name == name; });
  return found == lists.end() ? nullptr : &*found;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const auto& list : config_lists()) names.push_back(list.name);
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

 private:
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
    if (const ConfigList* list = section.empty() ? find_list(name) : nullptr) {
      list->read(config_, value, [this](const YAML::Node& node, std::string message, std::string hint) {
        complain(node.Mark(), ErrorKind::invalid, std::move(message), std::move(hint));
      });
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

  std::string file_;
  std::vector<std::string> lines_;
  std::string text_;
  Config& config_;
  std::vector<Error>& errors_;
};

// One list alone, as a flag or a variable has it.
void read_list(const ConfigList& list, const std::string& yaml, const std::string& where, Config& config,
               std::vector<Error>& errors) {
  std::vector<Error> found;
  ConfigReader(list.name + ": " + yaml, where, config, found).read();
  for (auto& error : found) {
    // The key in front is ours, so a column would mislead.
    error.position->column = 0;
    error.position->source_line.clear();
    errors.push_back(std::move(error));
  }
}

void apply_overrides(const std::map<std::string, std::string>& given, bool from_flags, Config& config,
                     std::vector<Error>& errors) {
  for (const auto& [name, text] : given) {
    const std::string where = from_flags ? "flag " + name : "environment variable " + name;
    const auto is_named = [&, &name = name](const auto& row) {
      return (from_flags ? row.flag : row.environment) == name;
    };
    const auto& lists = config_lists();
    if (const auto list = std::find_if(lists.begin(), lists.end(), is_named); list != lists.end()) {
      read_list(*list, text, where, config, errors);
      continue;
    }
    const auto& keys = config_keys();
    const auto key = std::find_if(keys.begin(), keys.end(), is_named);
    if (key == keys.end()) continue;
    if (auto done = key->assign(config, text); !done) {
      errors.push_back(base::with_context(done.error(), "in " + where));
    }
  }
}

}  // namespace

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
