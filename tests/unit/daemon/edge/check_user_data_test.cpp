#include "daemon/edge/check_user_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/edge/schema.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp.h"

namespace ingot::edge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> lines_of(const std::vector<proto::Error>& errors) {
  std::vector<std::string> lines;
  for (const auto& error : errors) {
    lines.push_back(error.position
                        ? std::to_string(error.position->line) + ":" + std::to_string(error.position->column) + " "
                        : "");
    lines.back() += error.message + " | " + error.hint;
  }
  return lines;
}
// Of what stands below the header.
std::vector<std::string> errors(const std::string& text) {
  return lines_of(check_user_data("#cloud-config\n" + text, "user-data").errors);
}
std::vector<std::string> warnings(const std::string& text) {
  return lines_of(check_user_data("#cloud-config\n" + text, "user-data").warnings);
}

TEST(CheckUserData, what_the_template_says_is_right) {
  const std::string text = test::slurp(test::source_directory() / "edge-templates/project/user-data.template");
  const auto findings = check_user_data(text, "user-data");
  EXPECT_THAT(lines_of(findings.errors), IsEmpty());
  EXPECT_THAT(lines_of(findings.warnings), IsEmpty());
}

TEST(CheckUserData, all_that_hosts_know_is_taken) {
  EXPECT_THAT(errors(R"(
stylus:
  managementMode: local
  localUI: {port: 5080, login: {any: thing}}
  site:
    tags: {env: prod}
    network: {interfaces: {eth0: {type: static, ipAddress: 10.0.0.2}}}
    users: {admin: {groups: [sudo], passwd: 1234, passwordExpiry: 2030-01-31}}
install:
  device: script:///oem/disk
  partitions: {persistent: {size: 0, fs: xfs}}
  grub_options: {extra_cmdline: quiet}
stages:
  boot.before:
    - if: "[ -e /x ]"
      files: [{path: /etc/a, permissions: 0644, content: eA==, encoding: b64}]
      systemctl: {enable: [a], mask: [b]}
)"),
              IsEmpty());
}

TEST(CheckUserData, the_header) {
  EXPECT_THAT(lines_of(check_user_data("#cloud-init\nname: a\n", "f").errors),
              ElementsAre(AllOf(HasSubstr("1:1 the first line is not #cloud-config"), HasSubstr("did you mean"))));
  EXPECT_THAT(lines_of(check_user_data("name: a\n", "f").errors), ElementsAre(HasSubstr("ignores it")));
  EXPECT_THAT(lines_of(check_user_data("\xEF\xBB\xBF#cloud-config\r\nname: a\r\n", "f").errors), IsEmpty());
}

TEST(CheckUserData, what_was_seen_in_the_wild) {
  EXPECT_THAT(errors("stylus:\n  registryCredentials:\n    password: ####\n"),
              ElementsAre(HasSubstr("has no value | \"#\" begins a comment")));
  EXPECT_THAT(errors("stages:\n  initramfs:\n    users: {}\n"),
              ElementsAre(HasSubstr("4:5 stages.initramfs is a list")));
  EXPECT_THAT(errors("boot.after: []\n"),
              ElementsAre(HasSubstr("2:1 \"boot.after\" is a stage | indent it below \"stages:\"")));
  EXPECT_THAT(errors("after-install: []\n"), ElementsAre(HasSubstr("is a stage")));
  EXPECT_THAT(errors("stages:\n  boot:\n    - systctl: {a: b}\n"), ElementsAre(HasSubstr("did you mean \"sysctl\"")));
  EXPECT_THAT(errors("stages:\n  boot:\n    - if:\n        - a\n"),
              ElementsAre(HasSubstr("5:9 stages.boot[0].if is one text, not a list")));
  EXPECT_THAT(errors("stylus:\n  site:\n    caCerts:\n      - |\n        ------BEGIN CERTIFICATE------\n        MII\n"),
              ElementsAre(HasSubstr("five dashes")));
}

TEST(CheckUserData, values) {
  EXPECT_THAT(errors("install: {poweroff: \"true\"}\n"), ElementsAre(HasSubstr("without quotes")));
  EXPECT_THAT(errors("install: {poweroff: yes}\n"), ElementsAre(HasSubstr("install.poweroff is true or false")));
  EXPECT_THAT(errors("install:\n  poweroff: true\n  reboot: true\n"), ElementsAre(HasSubstr("4:11 install has both")));
  EXPECT_THAT(errors("install: {device: sda}\n"), ElementsAre(HasSubstr("such as auto, /dev/sda")));
  EXPECT_THAT(errors("stylus: {localUI: {port: 70000}}\n"), ElementsAre(HasSubstr("1 to 65535")));
  EXPECT_THAT(errors("stylus: {localUI: {port: many}}\n"), ElementsAre(HasSubstr("is a whole number")));
  EXPECT_THAT(errors("stylus: {managementMode: centrl}\n"), ElementsAre(HasSubstr("did you mean \"central\"")));
  EXPECT_THAT(errors("stylus: {site: {prefix: a_b}}\n"), ElementsAre(HasSubstr("cannot be \"a_b\"")));
  EXPECT_THAT(errors("stylus: {site: {paletteEndpoint: \"https://api\"}}\n"),
              ElementsAre(HasSubstr("without https://")));
  EXPECT_THAT(errors("stages:\n  boot:\n    - files: [{content: a}]\n"), ElementsAre(HasSubstr("has no \"path\"")));
  EXPECT_THAT(errors("stages:\n  boot:\n    - files: [{path: /a, encoding: b65}]\n"),
              ElementsAre(HasSubstr("did you mean \"b64\"")));
  EXPECT_THAT(errors("stages:\n  bot: []\n"), ElementsAre(HasSubstr("did you mean \"boot\"")));
  EXPECT_THAT(errors("name: a\nname: b\n"), ElementsAre(HasSubstr("is there twice")));
  EXPECT_THAT(errors("- a\n"), ElementsAre(HasSubstr("a map of keys")));
  EXPECT_THAT(errors(""), ElementsAre(HasSubstr("there is nothing in it")));
}

TEST(CheckUserData, a_key_that_is_merely_not_known_is_a_warning) {
  EXPECT_THAT(warnings("stylus: {something: 1}\n"), ElementsAre(HasSubstr("stylus.something is not known")));
  EXPECT_THAT(errors("stylus: {something: 1}\n"), IsEmpty());
  EXPECT_THAT(errors("stylus: {dbug: true}\n"), ElementsAre(HasSubstr("did you mean \"debug\"")));
}

TEST(CheckUserData, no_yaml) {
  EXPECT_THAT(errors("stages:\n  - a\n b\n"), ElementsAre(HasSubstr("this is no YAML")));
  EXPECT_THAT(errors("a: [\n"), ElementsAre(HasSubstr("this is no YAML")));
  EXPECT_THAT(errors("name: a\n---\nname: b\n"), ElementsAre(HasSubstr("second document")));
  EXPECT_THAT(errors(std::string(100'000, '[')), Not(IsEmpty()));
}

TEST(CheckUserData, bombs_and_masses_end_soon) {
  std::string bomb = "stages:\n  boot:\n    - &a0 {commands: [x, x, x, x, x, x, x, x, x, x]}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "    - &a" + std::to_string(i) + " {layout: x, dns: {nameservers: [" + below;
    for (int j = 0; j < 9; ++j) bomb += ", " + below;
    bomb += "]}}\n";
  }
  EXPECT_THAT(errors(bomb), Not(IsEmpty()));
  std::string masses = "stylus: {site: {tags: &t {a: b}}}\nstages:\n  boot:\n    - environment: &e {";
  for (int i = 0; i < 400; ++i) masses += "k" + std::to_string(i) + ": v, ";
  masses += "z: z}\n";
  for (int i = 0; i < 400; ++i) masses += "    - environment: *e\n";
  EXPECT_THAT(errors(masses), ElementsAre(HasSubstr("aliases make more than")));
  EXPECT_THAT(errors(std::string(10U << 20U, 'a')), ElementsAre(HasSubstr("no user-data is larger")));
}

TEST(CheckUserData, nothing_secret_is_repeated) {
  const auto findings = check_user_data(
      "#cloud-config\nstylus:\n  site:\n    edgeHostToken: [hunter2]\n    users: {a: {passwd: {b: hunter2}}}\n", "f");
  EXPECT_EQ(findings.errors.size(), 2U);
  for (const auto& error : findings.errors) EXPECT_THAT(proto::render(error), Not(HasSubstr("hunter2")));
}

TEST(UserDataSchema, the_published_one_is_this_one) {
  const auto published = test::slurp(test::source_directory() / "proto/user-data.schema.json");
  EXPECT_EQ(published, json_schema(user_data_schema(), "user-data of an edge installer").dump(2) + "\n")
      << "write it anew: ingot validate --schema >proto/user-data.schema.json";
}

}  // namespace
}  // namespace ingot::edge
