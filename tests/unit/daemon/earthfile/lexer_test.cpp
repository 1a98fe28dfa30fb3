#include "daemon/earthfile/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace ingot::earthfile {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words_of(const Statement& statement) {
  std::vector<std::string> words;
  for (const auto& word : statement.words) words.push_back(word.text);
  return words;
}

struct Read {
  explicit Read(std::string_view text) : source(text, "Earthfile") {
    Lexer lexer(source);
    Statement statement;
    for (int i = 0; i < 100; ++i) {
      auto more = lexer.next(statement);
      if (!more) {
        errors.push_back(proto::render(more.error()));
      } else if (*more) {
        statements.push_back(statement);
      } else {
        break;
      }
    }
  }
  std::vector<std::string> words(std::size_t index = 0) const { return words_of(statements.at(index)); }

  Source source;
  std::vector<Statement> statements;
  std::vector<std::string> errors;
};

TEST(Lexer, cuts_at_white_space_and_keeps_the_text) {
  const Read read("RUN  echo\ta   b  \n");
  EXPECT_THAT(read.words(), ElementsAre("RUN", "echo", "a", "b"));
  EXPECT_EQ(read.statements[0].text, "RUN  echo\ta   b");
}

TEST(Lexer, words_know_their_place) {
  const Read read("VERSION 0.8\n  RUN a \\\n     b\n");
  const auto& words = read.statements[1].words;
  EXPECT_EQ(words[0].place.position().column, 3);
  EXPECT_EQ(words[1].place.position().column, 7);
  EXPECT_EQ(words[2].place.position().line, 3);
  EXPECT_EQ(words[2].place.position().column, 6);
  EXPECT_EQ(read.statements[1].text.substr(words[2].begin), "b");
}

TEST(Lexer, a_backslash_continues_the_line_also_before_spaces_and_a_comment) {
  EXPECT_EQ(Read("RUN a \\\n b").statements[0].text, "RUN a b");
  EXPECT_EQ(Read("RUN a \\  \t\n b").statements[0].text, "RUN a b");
  EXPECT_EQ(Read("RUN a \\ # why\n b").statements[0].text, "RUN a b");
  EXPECT_EQ(Read("RUN a \\\r\n b\r\n").statements[0].text, "RUN a b");
}

TEST(Lexer, blank_and_comment_lines_in_a_continuation_vanish) {
  EXPECT_EQ(Read("RUN a && \\\n   # first\n\n  # second\n   b\n").statements[0].text, "RUN a && b");
}

TEST(Lexer, a_continuation_within_a_word_or_quote_takes_the_white_space_with_it) {
  EXPECT_THAT(Read("RUN foo\\\n    bar").words(), ElementsAre("RUN", "foobar"));
  EXPECT_THAT(Read("RUN \"a \\\n  # gone\n    b\" c").words(), ElementsAre("RUN", "\"a b\"", "c"));
  EXPECT_THAT(Read("RUN 'a \\\n    b' c").words(), ElementsAre("RUN", "'a b'", "c"));
}

TEST(Lexer, a_hash_is_a_comment_at_the_start_of_a_token_only) {
  EXPECT_THAT(Read("RUN echo a #b \\\nRUN c").words(), ElementsAre("RUN", "echo", "a"));
  EXPECT_THAT(Read("RUN echo a#b ${#c} '#d' \"x #e\" \\#f").words(),
              ElementsAre("RUN", "echo", "a#b", "${#c}", "'#d'", "\"x #e\"", "\\#f"));
}

TEST(Lexer, quotes_and_commands_in_parentheses_hold_words_together) {
  EXPECT_THAT(Read("RUN \"a b\" 'c d' e\" f\"g h\\ i").words(),
              ElementsAre("RUN", "\"a b\"", "'c d'", "e\" f\"g", "h\\ i"));
  EXPECT_THAT(Read("ARG X=$(echo a #b $((1 + 2)) \"c )\") d").words(),
              ElementsAre("ARG", "X=$(echo a #b $((1 + 2)) \"c )\")", "d"));
  EXPECT_THAT(Read("RUN \"$(. x && echo \"$Y #z\").\" end").words(),
              ElementsAre("RUN", "\"$(. x && echo \"$Y #z\").\"", "end"));
  EXPECT_THAT(Read("RUN $\\\n  (a b) c").words(), ElementsAre("RUN", "$(a b)", "c"))
      << "a line that goes on parts nothing";
  EXPECT_THAT(Read("RUN (a b) \\$( c").words(), ElementsAre("RUN", "(a", "b)", "\\$(", "c"));
}

TEST(Lexer, a_quoted_line_break_is_part_of_the_word) {
  EXPECT_THAT(Read("RUN 'a\r\nb'\r\nRUN c").words(), ElementsAre("RUN", "'a\nb'"));
}

TEST(Lexer, an_open_parenthesis_ends_with_its_line) {
  const Read read("RUN echo $(a\nRUN b\n");
  ASSERT_EQ(read.statements.size(), 2U);
  EXPECT_THAT(read.words(1), ElementsAre("RUN", "b"));
}

TEST(Lexer, an_unclosed_quote_is_shown_where_it_begins_and_reading_goes_on_below) {
  const Read read("RUN echo \"a b\nRUN c\nRUN 'x\n");
  EXPECT_THAT(read.errors, ElementsAre("Earthfile:1:10: this quote is never closed: \"\n"
                                       "  RUN echo \"a b\n"
                                       "           ^\n"
                                       "hint: close it, or write \\\" for the character itself",
                                       "Earthfile:3:5: this quote is never closed: '\n"
                                       "  RUN 'x\n"
                                       "      ^\n"
                                       "hint: close it, or write \\' for the character itself"));
  ASSERT_EQ(read.statements.size(), 1U);
  EXPECT_THAT(read.words(), ElementsAre("RUN", "c"));
}

TEST(Lexer, the_comment_right_above_belongs_to_a_statement) {
  const Read read("# not this\n\n# one\n#  two\nbuild:\n");
  EXPECT_EQ(read.statements[0].comment, "one\ntwo\n");
}

TEST(Lexer, takes_a_file_without_a_newline_at_its_end_and_one_that_ends_in_a_backslash) {
  EXPECT_THAT(Read("RUN a").words(), ElementsAre("RUN", "a"));
  EXPECT_THAT(Read("RUN a \\").words(), ElementsAre("RUN", "a"));
  EXPECT_THAT(Read("RUN a \\\n# b").words(), ElementsAre("RUN", "a"));
  EXPECT_TRUE(Read("\\\n\n").statements.empty());
  EXPECT_TRUE(Read("").statements.empty());
  EXPECT_TRUE(Read(" \t\r\n#x").statements.empty());
}

TEST(Lexer, reads_in_linear_time) {
  for (const std::string piece : {"a ", "$(", "\\\n", "\"a\" ", "a\\\n#\n", "# c\n", "x\\ "}) {
    std::string text = "RUN ";
    while (text.size() < (256U << 10)) text += piece;
    const Source source(text, "Earthfile");
    Lexer lexer(source);
    Statement statement;
    const auto started = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000 && lexer.next(statement).value_or(false); ++i) continue;
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5)) << piece;
  }
}

}  // namespace
}  // namespace ingot::earthfile
