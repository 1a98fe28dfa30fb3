#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::base {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
// ASCII letters alone.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool starts_with_ci(std::string_view text, std::string_view prefix);

// The candidates nearest to `word` by edit distance, best first, at most `most`; none that a person would not
// have meant (a third of the word's length, and at least one edit).
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t most = 3);
// `did you mean "a" or "b"?`, or "" when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

bool is_valid_utf8(std::string_view text);
// Length of the longest prefix that is whole, valid UTF-8 (a character cut at the end does not count as
// invalid).
std::size_t valid_utf8_prefix(std::string_view text);

std::string human_bytes(std::uint64_t bytes);              // 1.5 GiB
Result<std::uint64_t> parse_bytes(std::string_view text);  // 512, 64K, 1.5GiB, 10MB (all binary multiples)
std::string human_duration(double seconds);                // 0.4s, 12s, 3m05s, 1h02m
Result<double> parse_duration(std::string_view text);      // 90, 90s, 15m, 2h, 1h30m, 500ms -> seconds

// For a log or terminal: control characters but tab as \xNN, so that output cannot drive the reader's
// terminal.
std::string printable(std::string_view text);

// Random identifier of lower-case letters and digits without look-alikes (no l, o, 0, 1).
std::string random_id(std::size_t length);

}  // namespace ingot::base
