#include "daemon/app/config_lists.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/image/source.h"

namespace ingot::app {

namespace {

// What an option of a row does with its text: takes it, or says what is wrong with it.
using Take = std::function<Status(const std::string& text)>;

Take text_into(std::string& field) {
  return [&field](const std::string& text) -> Status {
    field = text;
    return {};
  };
}

Take bool_into(bool& field, std::string name) {
  return [&field, name = std::move(name)](const std::string& text) -> Status {
    if (text != "true" && text != "false") return base::fail(ErrorKind::invalid, "`" + name + "` is true or false");
    field = text == "true";
    return {};
  };
}

// One row, `what` being what messages call it. Whether there was nothing to complain of.
bool read_row(const YAML::Node& row, const std::string& what, const std::map<std::string, Take>& options,
              const Complain& complain) {
  bool is_right = true;
  const auto refuse = [&](const YAML::Node& node, std::string message, std::string hint) {
    complain(node, std::move(message), std::move(hint));
    is_right = false;
  };
  if (!row.IsMap()) {
    refuse(row, what + " is a map of options", "");
    return false;
  }
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const auto& [name, take] : options) names.push_back(name);
  for (const auto& pair : row) {
    const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : "?";
    const auto option = options.find(name);
    if (option == options.end()) {
      refuse(pair.first, what + " has no option \"" + base::printable(name) + "\"", base::did_you_mean(name, names));
    } else if (!pair.second.IsScalar()) {
      refuse(pair.second, "\"" + name + "\" of " + what + " must be one value", "");
    } else if (const auto taken = option->second(pair.second.Scalar()); !taken) {
      refuse(pair.second, taken.error().message, taken.error().hint);
    }
  }
  return is_right;
}

// Rows that are wrong are complained of, each, and none of those is taken.
template <typename Row, typename ReadRow>
std::vector<Row> read_rows(const YAML::Node& list, const std::string& what, const std::string& example,
                           const Complain& complain, const ReadRow& read) {
  std::vector<Row> rows;
  if (!list.IsSequence()) {
    complain(list, what, "such as - " + example);
    return rows;
  }
  for (const auto& node : list) {
    if (std::optional<Row> row = read(node)) rows.push_back(std::move(*row));
  }
  return rows;
}

// The first row that has what one before it has there, too.
template <typename Row>
const Row* first_twice(const std::vector<Row>& rows, std::string Row::*member) {
  std::set<std::string> seen;
  for (const auto& row : rows) {
    if (!seen.insert(row.*member).second) return &row;
  }
  return nullptr;
}

void read_images(Config& config, const YAML::Node& list, const Complain& complain) {
  const auto read = [&](const YAML::Node& node) -> std::optional<image::SourceRule> {
    image::SourceRule rule;
    std::map<std::string, Take> options = {{"match", text_into(rule.match)},
                                           {"source", [&rule](const std::string& text) -> Status {
                                              rule.kind = text;
                                              if (image::find_source(text) != nullptr) return {};
                                              return base::fail(ErrorKind::invalid,
                                                                fmt::format("\"{}\" is no image source: {}", text,
                                                                            base::join(image::source_kinds(), ", ")),
                                                                base::did_you_mean(text, image::source_kinds()));
                                            }}};
    for (const char* name :
         {"suite", "mirror", "variant", "include", "path", "prefix", "insecure", "authfile", "cert_dir"}) {
      options[name] = [&rule, name](const std::string& text) -> Status {
        rule.options[name] = text;
        return {};
      };
    }
    if (!read_row(node, "a rule of `images`", options, complain)) return std::nullopt;
    if (!rule.match.empty() && !rule.kind.empty()) return rule;
    complain(node, "a rule of `images` needs `match` and `source`", "");
    return std::nullopt;
  };
  config.images = read_rows<image::SourceRule>(list, "`images` must be a list of rules",
                                               "{match: \"debian:*\", source: bootstrap}", complain, read);
}

void read_repositories(Config& config, const YAML::Node& list, const Complain& complain) {
  const auto read = [&](const YAML::Node& node) -> std::optional<git::Rule> {
    git::Rule rule;
    const std::map<std::string, Take> options = {
        {"match", text_into(rule.match)},
        {"url", text_into(rule.url)},
        {"ca_file", text_into(rule.ca_file)},
        {"pass_credentials", bool_into(rule.pass_credentials, "pass_credentials")}};
    if (!read_row(node, "a rule of `repositories`", options, complain)) return std::nullopt;
    const auto right = git::check_rule(rule);
    if (right) return rule;
    complain(node, "a rule of `repositories`: " + right.error().message, right.error().hint);
    return std::nullopt;
  };
  config.repositories =
      read_rows<git::Rule>(list, "`repositories` must be a list of rules",
                           "{match: \"github.com/*/*\", url: \"https://mirror.example/{path}.git\"}", complain, read);
}

void read_schedules(Config& config, const YAML::Node& list, const Complain& complain) {
  if (list.IsNull()) return;
  const auto read = [&](const YAML::Node& node) -> std::optional<schedule::Plan> {
    schedule::Plan plan;
    const std::map<std::string, Take> options = {{"name", text_into(plan.name)},
                                                 {"file", text_into(plan.file)},
                                                 {"cron",
                                                  [&plan](const std::string& text) -> Status {
                                                    plan.cron_text = text;
                                                    INGOT_TRY(plan.cron, schedule::Cron::parse(text));
                                                    return {};
                                                  }},
                                                 {"time_zone",
                                                  [&plan](const std::string& text) {
                                                    plan.time_zone = text;
                                                    return schedule::check_time_zone(text);
                                                  }},
                                                 {"jitter", [&plan](const std::string& text) -> Status {
                                                    constexpr double kLongest = 86'400;
                                                    INGOT_TRY(const auto seconds, base::parse_duration(text));
                                                    if (seconds > kLongest)
                                                      return base::fail(ErrorKind::invalid,
                                                                        "a jitter is at most a day");
                                                    plan.jitter_seconds = static_cast<std::int64_t>(seconds);
                                                    return {};
                                                  }}};
    if (!read_row(node, "a schedule", options, complain)) return std::nullopt;
    const auto right = schedule::check_plan(plan);
    if (right) return plan;
    complain(node, right.error().message, right.error().hint);
    return std::nullopt;
  };
  config.schedules =
      read_rows<schedule::Plan>(list, "`schedules` must be a list",
                                "{name: nightly, file: /srv/edge/sweep.yaml, cron: \"30 2 * * *\"}", complain, read);
  if (const auto* twice = first_twice(config.schedules, &schedule::Plan::name))
    complain(list, "two schedules are called \"" + base::printable(twice->name) + "\"", "");
}

void read_webhooks(Config& config, const YAML::Node& list, const Complain& complain) {
  if (list.IsNull()) return;
  const auto read = [&](const YAML::Node& node) -> std::optional<webhook::Hook> {
    webhook::Hook hook;
    const std::map<std::string, Take> options = {{"match", text_into(hook.match)},
                                                 {"url", text_into(hook.url)},
                                                 {"secret_file", text_into(hook.secret_file)},
                                                 {"ca_file", text_into(hook.ca_file)}};
    if (!read_row(node, "a webhook", options, complain)) return std::nullopt;
    const auto right = webhook::check_hook(hook);
    if (right) return hook;
    complain(node, right.error().message, right.error().hint);
    return std::nullopt;
  };
  config.webhooks = read_rows<webhook::Hook>(list, "`webhooks` must be a list",
                                             "{url: \"https://ci.example/hooks/ingot\"}", complain, read);
  if (const auto* twice = first_twice(config.webhooks, &webhook::Hook::url))
    complain(list, "two webhooks have the same `url`, at " + base::printable(webhook::host_of(twice->url)), "");
}

}  // namespace

const std::vector<ConfigList>& config_lists() {
  static const std::vector<ConfigList> kLists = {
      {"images", "--images", "INGOT_IMAGES", "where images come from", read_images},
      {"repositories", "--repositories", "INGOT_REPOSITORIES", "where other repositories are", read_repositories},
      {"schedules", "--schedules", "INGOT_SCHEDULES", "sweeps that are run by themselves", read_schedules},
      {"webhooks", "--webhooks", "INGOT_WEBHOOKS", "who is told of sweeps that ended", read_webhooks}};
  return kLists;
}

}  // namespace ingot::app
