#include <chrono>
#include <random>

#include "daemon/dockerfile/expand.h"
#include "tests/unit/daemon/dockerfile/parsing.h"

namespace ingot::dockerfile {
namespace {

// What any input must come to: a tree with at least one stage, or errors with a message and a place. Then every word
// has a value or an error.
void check(const std::string& text) {
  auto file = parse(text, "Dockerfile");
  if (!file) {
    ASSERT_FALSE(file.error().empty());
    for (const auto& error : file.error()) {
      ASSERT_FALSE(error.message.empty());
      ASSERT_TRUE(error.position);
      ASSERT_LE(proto::render(error).size(), 10'000U);
    }
    return;
  }
  ASSERT_FALSE(file->stages.empty());
  const Lookup lookup = [](const std::string& name) { return std::optional(name); };
  for (const auto& stage : file->stages) {
    for (const auto& one : stage.instructions) {
      ASSERT_LE(one.place.offset, text.size());
      for (const auto& word : one.words) {
        ASSERT_LE(word.place.offset, text.size());
        static_cast<void>(expand(word, file->escape, lookup));
      }
      for (const auto& heredoc : one.heredocs) static_cast<void>(expand_lines(heredoc, file->escape, lookup));
    }
  }
}

TEST(DockerfileRobustness, random_bytes_do_no_harm) {
  std::mt19937 random(1);
  constexpr char kCharacters[] = "\\\\\"'$(){}#:=-<<`[], \n\n\n\t\r\0\xff\xc3\xa4 ARUNFOMCPYEVab+/.";
  const std::string alphabet(kCharacters, sizeof kCharacters - 1);
  for (int round = 0; round < 4000; ++round) {
    std::string text = round % 2 == 0 ? "FROM a\nRUN " : "";
    const std::size_t length = random() % 200;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    check(text);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << text;
  }
}

TEST(DockerfileRobustness, mutations_of_a_real_file_do_no_harm) {
  const std::string original =
      "# syntax=x\nARG V=1\nFROM debian:$V AS build\nENV A=\"b c\" D=${V:-x}\nRUN --mount=type=cache,target=/c <<EOF\n"
      "set -e\nEOF\nCOPY --chown=1:2 <<-'A' \"b\" /c/\n\tx\n\tA\nHEALTHCHECK CMD [\"a\"]\nFROM build\nSHELL [\"a\"]\n";
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string text = original;
    for (int change = 0; change < 4; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, random() % 20);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, text.substr(random() % text.size(), random() % 30));
    }
    check(text);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << text;
  }
}

// Twice the text may take about twice the time; with a text that one pass over it reads in some milliseconds, anything
// worse than linear takes minutes.
TEST(DockerfileRobustness, time_is_linear) {
  constexpr std::size_t kMany = 300'000;
  const auto repeated = [](const std::string& part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += part;
    return text;
  };
  const std::string texts[] = {
      "FROM a\nRUN " + repeated("x \\\n", kMany),
      "FROM a\nRUN " + repeated("<<A ", 1000) + "\n" + repeated("A\n", 1000),
      "FROM a\nRUN " + repeated("<<A ", kMany) + "\n",
      "FROM a\nENV " + repeated("A=\"b\" ", kMany),
      "FROM a\nRUN [" + repeated("[", kMany),
      "FROM a\nCOPY " + repeated("\"a ", kMany) + " b",
      "FROM a\nRUN <<A\n" + repeated("x\n", kMany),
      "FROM a\n" + repeated("RUN <<A\nA\n", kMany / 10),
      "FROM a\nRUN " + repeated("--network=none ", kMany / 10) + " x",
      repeated("# comment\n", kMany),
      "FROM " + repeated("${A:-", 1000),
  };
  for (const auto& text : texts) {
    const auto begin = std::chrono::steady_clock::now();
    check(text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), 10) << text.substr(0, 30);
  }
}

}  // namespace
}  // namespace ingot::dockerfile
