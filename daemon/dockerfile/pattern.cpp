#include "daemon/dockerfile/pattern.h"

#include <algorithm>
#include <string>
#include <vector>

namespace ingot::dockerfile {

// All places of the pattern that the text so far can have led to, at once: time grows with both lengths, no faster.
std::optional<std::size_t> matched_length(std::string_view pattern, std::string_view text, bool most,
                                          bool from_the_end) {
  std::string mirrored_pattern(pattern);
  std::string mirrored_text(text);
  if (from_the_end) {
    std::reverse(mirrored_pattern.begin(), mirrored_pattern.end());
    std::reverse(mirrored_text.begin(), mirrored_text.end());
    pattern = mirrored_pattern;
    text = mirrored_text;
  }
  std::vector<char> at(pattern.size() + 1, 0);
  const auto pass_stars = [&](std::vector<char>& places) {
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (places[p] != 0 && pattern[p] == '*') places[p + 1] = 1;
    }
  };
  at[0] = 1;
  pass_stars(at);
  std::optional<std::size_t> length;
  for (std::size_t taken = 0;; ++taken) {
    if (at[pattern.size()] != 0) {
      length = taken;
      if (!most) return length;
    }
    if (taken == text.size()) return length;
    std::vector<char> next(pattern.size() + 1, 0);
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (at[p] == 0) continue;
      if (pattern[p] == '*') next[p] = 1;
      if (pattern[p] == '?' || pattern[p] == text[taken]) next[p + 1] = 1;
    }
    pass_stars(next);
    at = std::move(next);
  }
}

}  // namespace ingot::dockerfile
