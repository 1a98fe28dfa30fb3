#include <cstddef>
#include <cstdint>

#include "daemon/earthfile/lexer.h"
#include "tests/fuzz/require.h"

// Every statement lies in the file, behind the one before it, and its words lie in it in order. That it ends at all
// means that each call goes on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ingot::fuzz::require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ingot::text::Source source(bytes, "Earthfile");
  ingot::earthfile::Lexer lexer(source);
  ingot::earthfile::Statement statement;
  std::size_t behind = 0;
  for (;;) {
    const auto more = lexer.next(statement);
    if (!more) {
      require(!more.error().message.empty() && more.error().position.has_value(), "an error has a text and a place");
      continue;
    }
    if (!*more) return 0;
    require(statement.begin >= behind && statement.end >= statement.words_end, "statements come in order");
    require(statement.end <= source.text().size(), "a statement ends in the file");
    behind = statement.end;
    std::size_t next_word = 0;
    for (const auto& word : statement.words) {
      require(word.begin >= next_word, "words do not overlap");
      require(statement.text.compare(word.begin, word.text.size(), word.text) == 0, "a word is a part of its text");
      require(word.place.offset < source.text().size(), "a word stands in the file");
      next_word = word.begin + word.text.size();
    }
    require(next_word == statement.text.size(), "the text ends with its last word");
  }
}
