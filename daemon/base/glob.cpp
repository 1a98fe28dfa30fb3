#include "daemon/base/glob.h"

namespace ingot::base {

namespace {

// Matches one `[...]` at the start of `pattern`, which is moved behind it; false also when it is never closed.
bool match_class(std::string_view& pattern, char c) {
  std::size_t at = 1;
  bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool matched = false;
  bool first = true;
  while (at < pattern.size() && (first || pattern[at] != ']')) {
    first = false;
    auto take = [&] {
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      return pattern[at++];
    };
    const char low = take();
    char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = take();
    }
    matched = matched || (low <= c && c <= high);
  }
  if (at >= pattern.size()) return false;
  pattern.remove_prefix(at + 1);
  return matched != negated && c != '/';
}

}  // namespace

bool has_glob(std::string_view text) {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  // One place to come back to is enough: an earlier `*` never needs to take more once a later one was reached.
  std::string_view retry_pattern;
  std::string_view retry_text;
  bool can_retry = false;
  while (true) {
    bool ok = false;
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      retry_pattern = pattern;
      retry_text = text;
      can_retry = true;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty()) {
      const char c = text.front();
      if (pattern.front() == '[') {
        ok = match_class(pattern, c);
      } else {
        if (pattern.front() == '\\' && pattern.size() > 1) {
          pattern.remove_prefix(1);
          ok = pattern.front() == c;
        } else {
          ok = pattern.front() == '?' ? c != '/' : pattern.front() == c;
        }
        pattern.remove_prefix(1);
      }
      text.remove_prefix(1);
    }
    if (ok) continue;
    if (!can_retry || retry_text.empty() || retry_text.front() == '/') return false;
    retry_text.remove_prefix(1);
    pattern = retry_pattern;
    text = retry_text;
  }
}

}  // namespace ingot::base
