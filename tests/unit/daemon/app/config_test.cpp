#include "daemon/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>

#include "daemon/app/command_line.h"
#include "daemon/app/config_lists.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp.h"

namespace ingot::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  std::string error(const std::string& yaml) {
    auto config = load_config({directory.file("c.yaml", yaml), true, {}, {}});
    return config ? "none" : proto::render(config.error().front());
  }
  test::TempDirectory directory;
};

TEST_F(ConfigTest, flags_win_over_the_environment_and_that_over_the_file) {
  const auto file = directory.file("c.yaml", "jobs: {max_queued: 1, drain: 1s}\nlimits: {pids: 100}\n");
  auto config =
      load_config({file, true, {{"INGOT_JOBS_MAX_QUEUED", "2"}, {"INGOT_JOBS_DRAIN", "2s"}}, {{"--jobs-drain", "3s"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->max_queued, 2U);
  EXPECT_EQ(config->drain_seconds, 3);
  EXPECT_EQ(config->limits.pids, 100U);
  EXPECT_EQ(config->socket_path, "/run/ingot/ingotd.sock");
}

TEST_F(ConfigTest, mistakes_name_line_column_and_the_nearest_key) {
  const std::string file = directory / "c.yaml";
  EXPECT_EQ(error("job:\n  paralel: 3\n"), file + ":1:1: there is no key \"job\"\n  job:\n  ^");
  EXPECT_EQ(
      error("jobs:\n  paralel: 3\n"),
      file + ":2:3: there is no key \"jobs.paralel\"\n    paralel: 3\n    ^\nhint: did you mean \"jobs.parallel\"?");
  EXPECT_EQ(error("log: {level: inof}\n"),
            file +
                ":1:14: log.level: \"inof\" is not one of trace, debug, info, warning, error\n  log: {level: inof}\n"
                "               ^\nhint: did you mean \"info\"?");
  EXPECT_THAT(error("jobs: [\n"), HasSubstr("this is no YAML"));
  EXPECT_THAT(error("jobs: 3\n"), HasSubstr("\"jobs\" is a section"));
  EXPECT_THAT(error("images:\n  - {match: a, source: dokcer}\n"), HasSubstr("\"dokcer\" is no image source"));
  EXPECT_THAT(error("images:\n  - {source: registry}\n"), HasSubstr("needs `match` and `source`"));
  EXPECT_THAT(error("repositories: {}\n"), HasSubstr("must be a list of rules"));
  EXPECT_THAT(error("repositories:\n  - {match: \"a/*/*\", ulr: x}\n"), HasSubstr("did you mean \"url\"?"));
  EXPECT_THAT(error("repositories:\n  - {match: github.com}\n"), HasSubstr("as long as a repository's name"));
  EXPECT_THAT(error("repositories:\n  - {match: \"a/*/*\", url: /srv}\n"),
              HasSubstr("https, http, ssh, git and file are known"));
  EXPECT_THAT(error("repositories:\n  - {match: \"a/*/*\", pass_credentials: yes}\n"), HasSubstr("is true or false"));
}

TEST_F(ConfigTest, rules_of_repositories_come_from_the_file_a_variable_or_a_flag) {
  EXPECT_EQ(load_config({"", false, {}, {}})->repositories.front().match, "*/*/*");
  const auto named = load_config(
      {"", false, {{"INGOT_REPOSITORIES", "[{match: \"a.b/*/*\", url: \"https://c/{path}\", ca_file: /ca}]"}}, {}});
  ASSERT_TRUE(named);
  EXPECT_EQ(named->repositories.front().url, "https://c/{path}");
  EXPECT_EQ(named->repositories.front().ca_file, "/ca");
  EXPECT_FALSE(load_config({"", false, {}, {{"--repositories", "[{match: x}]"}}}));
}

TEST_F(ConfigTest, a_file_that_is_named_must_be_there) {
  EXPECT_FALSE(load_config({"/nowhere/x.yaml", true, {}, {}}));
  EXPECT_TRUE(load_config({"/nowhere/x.yaml", false, {}, {}}));
}

TEST_F(ConfigTest, memory_is_a_size_a_share_or_none) {
  auto memory = [](const std::string& text) {
    auto config = load_config({"", false, {}, {{"--limits-memory", text}}});
    return config ? std::to_string(config->limits.memory_bytes) : proto::render(config.error().front());
  };
  EXPECT_EQ(memory("512M"), "536870912");
  EXPECT_EQ(memory("none"), "0");
  EXPECT_THAT(memory("1M"), HasSubstr("give it 8M or more"));
  EXPECT_THAT(memory("120%"), HasSubstr("a share of the host's memory from 1% to 100%"));
}

TEST_F(ConfigTest, the_compression_of_images_is_one_of_two) {
  auto compression = [](const std::string& text) {
    auto config = load_config({"", false, {}, {{"--image-compression", text}}});
    return config ? proto::name_of(config->image_compression) : proto::render(config.error().front());
  };
  EXPECT_EQ(compression("gzip"), "gzip");
  EXPECT_EQ(compression("zstd"), "zstd");
  EXPECT_THAT(compression("zst"), HasSubstr("did you mean \"zstd\"?"));
}

// The example is the documentation of the file: every key, with the default that the table has.
TEST_F(ConfigTest, schedules_and_webhooks_are_read_with_what_is_wrong_at_its_line) {
  const auto error = [&](const std::string& text) {
    const auto loaded = load_config({directory.file("wrong.yaml", text), true, {}, {}});
    return loaded ? "" : proto::render(loaded.error().front());
  };
  const std::string right = "{name: nightly, file: /srv/sweep.yaml, cron: \"30 2 * * *\", jitter: 10m}";
  const auto loaded = load_config({directory.file("right.yaml", "schedules:\n  - " + right + "\n"), true, {}, {}});
  ASSERT_TRUE(loaded) << proto::render(loaded.error().front());
  EXPECT_EQ(loaded->schedules.front().name, "nightly");
  EXPECT_EQ(loaded->schedules.front().jitter_seconds, 600);
  EXPECT_THAT(error("schedules:\n  - {name: a, file: /a, cron: \"61 2 * * *\"}\n"),
              AllOf(HasSubstr("wrong.yaml:2:31: "), HasSubstr("\"61\" is no minute")));
  EXPECT_THAT(error("schedules:\n  - {name: a, file: /a, cron: \"@daily\", time_zone: Berlin}\n"),
              HasSubstr("there is no time zone \"Berlin\""));
  EXPECT_THAT(error("schedules:\n  - {name: a, file: a.yaml, cron: \"@daily\"}\n"), HasSubstr("the absolute path"));
  EXPECT_THAT(error("schedules:\n  - {name: a, fiel: /a}\n"), HasSubstr("did you mean \"file\"?"));
  EXPECT_THAT(error("schedules:\n  - {name: a, file: /a, cron: \"@daily\", jitter: 2d}\n"), HasSubstr("at most a day"));
  EXPECT_THAT(error("schedules: [" + right + ", " + right + "]\n"), HasSubstr("two schedules are called \"nightly\""));
  EXPECT_THAT(error("schedules: nightly\n"), HasSubstr("`schedules` must be a list"));
  EXPECT_THAT(error("webhooks:\n  - {url: ci.example}\n"), HasSubstr("begins with https://"));
  EXPECT_THAT(error("webhooks: [{url: \"https://a/?x\"}, {match: b, url: \"https://a/?x\"}]\n"),
              HasSubstr("two webhooks have the same `url`, at a"));
  EXPECT_EQ(error("schedules:\nwebhooks:\n"), "");
  EXPECT_THAT(error("webhooks:\n  - nobody\n"), HasSubstr("a webhook is a map of options"));
}

TEST_F(ConfigTest, the_example_configuration_has_every_key_with_its_default) {
  const YAML::Node example = YAML::LoadFile(test::source_directory().string() + "/packaging/ingotd.yaml");
  auto loaded = load_config({test::source_directory().string() + "/packaging/ingotd.yaml", true, {}, {}});
  ASSERT_TRUE(loaded) << proto::render(loaded.error().front());
  std::map<std::string, std::string> shown;
  std::function<void(const std::string&, const YAML::Node&)> collect = [&](const std::string& prefix,
                                                                           const YAML::Node& node) {
    for (const auto& pair : node) {
      const std::string name = prefix + pair.first.as<std::string>();
      if (pair.second.IsMap())
        collect(name + ".", pair.second);
      else
        shown[name] = pair.second.IsScalar() ? pair.second.Scalar() : "";
    }
  };
  collect("", example);
  for (const auto& key : config_keys()) {
    ASSERT_TRUE(shown.contains(key.name)) << key.name;
    EXPECT_EQ(shown[key.name], key.default_text) << key.name;
    shown.erase(key.name);
  }
  for (const auto& list : config_lists()) EXPECT_EQ(shown.erase(list.name), 1U) << list.name;
  EXPECT_TRUE(shown.empty()) << "an unknown key: " << shown.begin()->first;
}

TEST_F(ConfigTest, the_help_has_every_flag) {
  const std::string help = help_text();
  for (const auto& key : config_keys()) {
    EXPECT_THAT(help, HasSubstr(key.flag));
    EXPECT_THAT(help, HasSubstr(key.environment));
  }
  for (const auto& list : config_lists()) EXPECT_THAT(help, HasSubstr(list.flag));
}

TEST_F(ConfigTest, an_unknown_flag_gets_its_neighbour) {
  std::vector<std::string> words = {"ingotd", "--sockt", "x"};
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  auto parsed = parse_command_line(static_cast<int>(raw.size()), raw.data());
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_THAT(parsed.text, HasSubstr("did you mean \"--socket\"?"));
}

}  // namespace
}  // namespace ingot::app
