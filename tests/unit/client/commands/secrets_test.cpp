#include "client/commands/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "client/cli/parse.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GivingSecrets : public testing::Test {
 protected:
  Result<GivenSecrets> collect(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"build"});
    arguments.emplace_back("+t");
    auto invocation = parse_arguments(arguments);
    if (!invocation) return base::fail(invocation.error());
    return collect_secrets(*invocation, directory / "p", ask);
  }
  proto::Secrets values(const std::vector<std::string>& arguments) {
    auto given = collect(arguments);
    EXPECT_TRUE(given) << proto::render(given.error());
    return given ? given->values : proto::Secrets();
  }
  std::string error(const std::vector<std::string>& arguments) {
    auto given = collect(arguments);
    return given ? "no error" : proto::render(given.error());
  }
  test::TempDirectory directory;
  Ask ask;
};

TEST_F(GivingSecrets, by_the_command_line_a_file_and_the_projects_own) {
  directory.file("p/.secret", "# mine\nA=from file # comment\nexport B='quoted # value'\n");
  const auto key = directory.file("key", std::string("\0\xff\n", 3));
  EXPECT_EQ(
      values({"--secret", "C=x=y", "-s", "D=", "--secret-file", "k=" + key.string()}),
      (proto::Secrets{
          {"A", "from file"}, {"B", "quoted # value"}, {"C", "x=y"}, {"D", ""}, {"k", std::string("\0\xff\n", 3)}}));
  const auto other = directory.file("other", "Z=1234\n");
  EXPECT_EQ(values({"--secret-file-path", other.string()}), (proto::Secrets{{"Z", "1234"}})) << "in place of .secret";
}

TEST_F(GivingSecrets, by_the_environment_else_by_a_person) {
  setenv("INGOT_TEST_SECRET", "from outside", 1);
  EXPECT_EQ(values({"--secret", "INGOT_TEST_SECRET"}), (proto::Secrets{{"INGOT_TEST_SECRET", "from outside"}}));
  unsetenv("INGOT_TEST_SECRET");
  EXPECT_EQ(error({"--secret", "INGOT_TEST_SECRET"}),
            "--secret INGOT_TEST_SECRET: the environment has no INGOT_TEST_SECRET\nhint: write NAME=VALUE, set the "
            "variable, or name a file with --secret-file NAME=FILE");
  std::string asked;
  ask = [&](const std::string& question) -> Result<std::string> {
    asked += question;
    return std::string("typed");
  };
  EXPECT_EQ(values({"--secret", "INGOT_TEST_SECRET"}), (proto::Secrets{{"INGOT_TEST_SECRET", "typed"}}));
  EXPECT_EQ(asked, "INGOT_TEST_SECRET: ");
}

TEST_F(GivingSecrets, twice_is_a_mistake) {
  directory.file("p/.secret", "A=1234\n");
  EXPECT_THAT(error({"--secret", "A=5678"}), HasSubstr("the secret A is given twice"));
  EXPECT_THAT(error({"--secret", "B=1", "--secret", "B=2"}), HasSubstr("the secret B is given twice"));
}

TEST_F(GivingSecrets, mistakes_are_told_without_values) {
  EXPECT_THAT(error({"--secret-file", "k"}), HasSubstr("--secret-file takes NAME=FILE, not \"k\""));
  EXPECT_THAT(error({"--secret-file", "k=/nowhere/x"}), HasSubstr("cannot open /nowhere/x"));
  EXPECT_THAT(error({"--secret-file-path", "/nowhere/x"}), HasSubstr("cannot open /nowhere/x"));
  EXPECT_THAT(error({"--secret", "=x"}), HasSubstr("no proper id"));
  EXPECT_THAT(error({"--secret", "A=" + std::string(proto::kLongestSecret + 1, 'x')}), HasSubstr("more than 256 KiB"));
  directory.file("p/.secret", "A=1234\nhunter2 \"hunter2\n");
  const std::string broken = error({});
  EXPECT_THAT(broken, HasSubstr(".secret:2"));
  EXPECT_EQ(broken.find("hunter2"), std::string::npos) << broken;
}

TEST_F(GivingSecrets, what_is_too_short_to_be_hidden_is_said) {
  auto given = collect({"--secret", "A=abc", "--secret", "B=abcd"});
  ASSERT_TRUE(given);
  EXPECT_THAT(given->warnings, ElementsAre("the secret A is shorter than 4 bytes: it is not hidden in logs"));
  EXPECT_THAT(collect({})->warnings, IsEmpty());
}

TEST_F(GivingSecrets, their_files_are_known) {
  auto invocation =
      parse_arguments({"build", "--secret-file", "k=/a/key", "--secret", "A=1", "+t", "--secret-file=no"});
  EXPECT_THAT(secret_files(*invocation, "/p"), ElementsAre("/p/.secret", "/a/key"));
}

TEST_F(GivingSecrets, values_are_taken_out_of_the_command_line) {
  std::vector<std::string> texts{"ingot", "build", "--secret", "A=hunter2", "--secret=B=hunter3",
                                 "-s",    "ENV",   "+t",       "--X=1"};
  auto invocation = parse_arguments({texts.begin() + 1, texts.end()});
  ASSERT_TRUE(invocation);
  std::vector<char*> argv;
  for (auto& text : texts) argv.push_back(text.data());
  hide_secrets(*invocation, static_cast<int>(argv.size()), argv.data());
  EXPECT_THAT(texts,
              ElementsAre("ingot", "build", "--secret", "A=*******", "--secret=B=*******", "-s", "ENV", "+t", "--X=1"));
  EXPECT_EQ(invocation->values("--secret").front(), "A=hunter2");
}

}  // namespace
}  // namespace ingot::client
