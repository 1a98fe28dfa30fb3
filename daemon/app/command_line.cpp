#include "daemon/app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "daemon/app/config_lists.h"
#include "daemon/base/strings.h"
#include "proto/version.h"

namespace ingot::app {

namespace {

constexpr const char* kDefaultFile = "/etc/ingot/ingotd.yaml";

struct Options {
  std::string config_file;
  bool check_config = false;
  bool version = false;
  std::string fsck;
  std::map<std::string, std::string> flags;
};

// Builds the parser into `parser`, its values going to `options`.
void describe(CLI::App& parser, Options& options) {
  parser.set_help_flag("-h,--help", "print this help");
  parser.add_flag("-V,--version", options.version, "print the version");
  parser.add_option("--config", options.config_file, fmt::format("configuration file ({})", kDefaultFile))
      ->type_name("FILE");
  parser.add_flag("--check-config", options.check_config, "check the configuration, say what is wrong, and end");
  parser
      .add_flag(
          "--fsck{quick}", options.fsck,
          "check the state directory of a daemon that does not run, mend it, and end; --fsck=full reads all content")
      ->type_name("")
      ->check(CLI::IsMember({"quick", "full"}));
  for (const auto& key : config_keys()) {
    const std::string flag = key.flag;
    parser
        .add_option_function<std::string>(
            flag, [&options, flag](const std::string& value) { options.flags[flag] = value; },
            fmt::format("{} [{}; {}, {}]", key.help, key.default_text.empty() ? "none" : key.default_text, key.name,
                        key.environment))
        ->type_name(key.value)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  for (const auto& list : config_lists()) {
    parser
        .add_option_function<std::string>(
            list.flag, [&options, flag = list.flag](const std::string& value) { options.flags[flag] = value; },
            fmt::format("{}, as a YAML list [{}, {}]", list.help, list.name, list.environment))
        ->type_name("YAML")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

std::vector<std::string> flag_names() {
  std::vector<std::string> names = {"--help", "--version", "--config", "--check-config", "--fsck"};
  for (const auto& list : config_lists()) names.push_back(list.flag);
  for (const auto& key : config_keys()) names.push_back(key.flag);
  return names;
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> found;
  auto take = [&](const std::string& name) {
    if (const char* value = std::getenv(name.c_str())) found[name] = value;
  };
  for (const auto& key : config_keys()) take(key.environment);
  for (const auto& list : config_lists()) take(list.environment);
  return found;
}

}  // namespace

std::string help_text() {
  CLI::App parser("The build daemon: runs queued jobs in containers, and keeps what they made.", "ingotd");
  Options options;
  describe(parser, options);
  return parser.help();
}

ParsedCommandLine parse_command_line(int argc, char** argv) {
  ParsedCommandLine parsed;
  CLI::App parser("The build daemon: runs queued jobs in containers, and keeps what they made.", "ingotd");
  Options options;
  describe(parser, options);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed.exit_code = 0;
    parsed.text = help_text();
    return parsed;
  } catch (const CLI::ParseError& problem) {
    parsed.exit_code = proto::info(ErrorKind::usage).exit_code;
    parsed.text = std::string("ingotd: ") + problem.what() + "\n";
    for (int i = 1; i < argc; ++i) {
      const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
      const auto names = flag_names();
      const bool known = std::find(names.begin(), names.end(), word) != names.end();
      if (std::string hint = base::did_you_mean(word, names); word.starts_with("--") && !known && !hint.empty()) {
        parsed.text += "hint: " + hint + "\n";
      }
    }
    return parsed;
  }
  if (options.version) {
    parsed.exit_code = 0;
    parsed.text = std::string("ingotd ") + proto::kVersion + "\n";
    return parsed;
  }
  const bool named = !options.config_file.empty();
  parsed.command_line.check_config = options.check_config;
  if (!options.fsck.empty()) parsed.command_line.fsck = options.fsck == "full" ? FsckDepth::full : FsckDepth::quick;
  parsed.command_line.sources = {named ? options.config_file : kDefaultFile, named, environment(), options.flags};
  return parsed;
}

}  // namespace ingot::app
