#include "daemon/shell/pattern.h"

#include "daemon/shell/characters.h"

namespace ingot::shell {

namespace {

constexpr std::size_t kLongestPattern = 256;

struct Element {
  enum class Kind { character, any, anything };
  Kind kind = Kind::character;
  char c = 0;
};

bool is_text(const Run& run) {
  return run.origin == Run::Origin::quoted || run.origin == Run::Origin::escaped;
}

std::optional<std::vector<Element>> elements_of(const std::vector<Run>& pattern) {
  std::vector<Element> out;
  for (const Run& run : pattern) {
    for (const char c : run.text) {
      if (is_text(run) || !is_one_of(c, "*?[\\(")) {
        out.push_back({Element::Kind::character, c});
      } else if (c == '*') {
        out.push_back({Element::Kind::anything, c});
      } else if (c == '?') {
        out.push_back({Element::Kind::any, c});
      } else {
        return std::nullopt;
      }
    }
  }
  return out;
}

// Goes back to the last `*` only: what an earlier one ate need never be changed.
bool matches(std::string_view text, const std::vector<Element>& pattern) {
  std::size_t at = 0;
  std::size_t element = 0;
  std::size_t star = pattern.size();  // the last `*`, if any
  std::size_t eaten_to = 0;
  while (at < text.size()) {
    const bool there = element < pattern.size();
    if (there && pattern[element].kind == Element::Kind::anything) {
      star = element++;
      eaten_to = at;
    } else if (there && (pattern[element].kind == Element::Kind::any || pattern[element].c == text[at])) {
      ++element;
      ++at;
    } else if (star != pattern.size()) {
      element = star + 1;
      at = ++eaten_to;
    } else {
      return false;
    }
  }
  while (element < pattern.size() && pattern[element].kind == Element::Kind::anything) ++element;
  return element == pattern.size();
}

}  // namespace

bool has_wildcards(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") != std::string_view::npos;
}

Outcome matches_pattern(std::string_view text, const std::vector<Run>& pattern) {
  const auto elements = elements_of(pattern);
  if (!elements) return Outcome::unknown;
  const bool plain = std::all_of(elements->begin(), elements->end(),
                                 [](const Element& element) { return element.kind == Element::Kind::character; });
  const std::string pattern_text = text_of(pattern);
  if (plain) return equal(text, pattern_text);
  if (!is_ascii(text) || !is_ascii(pattern_text) || elements->size() > kLongestPattern) return Outcome::unknown;
  return outcome(matches(text, *elements));
}

}  // namespace ingot::shell
