#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/source_directory.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

std::string sample() {
  std::ifstream file(test::source_directory() / "tests/unit/daemon/earthfile/whole_language.earth");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What any input must come to: a tree, or errors with a message and a position in the file. Then interpretation, which
// either gives a graph whose parents come first or an error.
void check(const std::string& text) {
  auto file = parse(text, "Earthfile");
  if (!file) {
    ASSERT_FALSE(file.error().empty());
    for (const auto& error : file.error()) {
      ASSERT_FALSE(error.message.empty());
      ASSERT_TRUE(error.position);
      ASSERT_LE(proto::render(error).size(), 10'000U);
    }
    return;
  }
  testing::FakeHost host;
  for (const auto& target : file->targets) {
    auto result = interpret(*file, {"+" + target.name, {{"VERSION", "1"}}}, host);
    if (!result) {
      ASSERT_FALSE(result.error().message.empty());
      continue;
    }
    for (std::size_t i = 0; i < result->graph.steps.size(); ++i) {
      ASSERT_LT(result->graph.steps[i].parent.value_or(0), std::max<std::size_t>(i, 1));
    }
    for (const auto& artifact : result->graph.artifacts) ASSERT_LT(artifact.from, result->graph.steps.size());
  }
}

TEST(Robustness, the_sample_of_the_whole_language_parses) {
  const File file = testing::parsed(sample());
  EXPECT_EQ(target_names(file), (std::vector<std::string>{"all", "image", "local"}));
  EXPECT_EQ(file.targets[0].doc, "Builds all.\n");
  EXPECT_EQ(file.targets[0].commands[1].words[3].text,
            "$(jq -r --arg k \"$K8S_DISTRIBUTION\" '.[$k][]' versions.json | grep -v '#')");
  EXPECT_EQ(file.targets[1].commands[4].arguments,
            "--mount=type=cache,target=/var/cache --secret TOKEN=+secrets/t apt-get update && "
            "printf 'a\\tb\\n' | sed -e 's/#.*//' -e \"s/\\\"x\\\"/y/\" > out.txt");
  EXPECT_EQ(file.targets[1].commands[5].arguments, "case \"$VERSION\" in 1) echo one;; *) echo \"other (#2)\";; esac");
  EXPECT_EQ(file.base[4].arguments, "DASHED=a--b");
}

TEST(Robustness, random_bytes_do_no_harm) {
  std::mt19937 random(1);
  constexpr char kCharacters[] = "\\\\\"'$(){}#:=- \n\n\n\t\r\0\xff\xc3\xa4 ARUNFOMab+/.";
  const std::string alphabet(kCharacters, sizeof kCharacters - 1);
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 == 0 ? "VERSION 0.8\nt:\n FROM scratch\n " : "";
    const std::size_t length = random() % 200;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    check(text);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << text;
    static_cast<void>(parse_dotenv(text, ".arg"));
  }
}

TEST(Robustness, mutations_of_a_real_file_do_no_harm) {
  std::mt19937 random(2);
  const std::string original = sample();
  ASSERT_FALSE(original.empty());
  for (int round = 0; round < 600; ++round) {
    std::string text = original;
    for (int change = 0; change < 4; ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, random() % 20);
          break;
        case 1:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 2:
          text.insert(at, original.substr(random() % original.size(), random() % 60));
          break;
        default:
          text.insert(at, 1, "\n\\\"'#$()"[random() % 8]);
          break;
      }
    }
    check(text);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << text;
  }
}

// Straight lines made of what is understood, so that interpretation is reached and not only the parser.
TEST(Robustness, random_straight_lines_do_no_harm) {
  std::mt19937 random(3);
  const std::vector<std::string> words = {
      "RUN",  "COPY", "ARG",     "ENV",     "LET",        "SET",       "WORKDIR", "USER",  "SAVE ARTIFACT",
      "FROM", "--",   "--dir",   "--force", "--required", "--chmod=7", "AS",      "LOCAL", "X=1",
      "X",    "$X",   "${X:-a}", "${X",     "'a b'",      "/",         "/.",      ".",     "../x",
      "+t",   "+u",   "--K=$X",  "scratch", "[\"a\"]",    "=",         "*",       "a/",    "debian:bookworm"};
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 == 0 ? "VERSION 0.8\n" : "VERSION 0.6\n";
    for (const char* target : {"", "t:\n    FROM scratch\n", "u:\n"}) {
      text += target;
      for (int line = 0; line < 3; ++line) {
        text += "    " + words[random() % 10];
        for (std::size_t i = random() % 4; i > 0; --i) text += " " + words[random() % words.size()];
        text += "\n";
      }
    }
    check(text);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << text;
  }
}

}  // namespace
}  // namespace ingot::earthfile
