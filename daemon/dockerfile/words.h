#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::dockerfile {

bool is_blank(char c);
bool begins_name(char c);  // of a variable

// A part of a text: [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The words of a text from `at` on, cut at white space that is neither quoted nor escaped. A quote that is not closed
// reaches to the end: whoever gives the word a value complains.
std::vector<Range> cut_words(std::string_view text, char escape, std::size_t at = 0);
// Where the word that begins at `at` ends.
std::size_t end_of_word(std::string_view text, char escape, std::size_t at);

}  // namespace ingot::dockerfile
