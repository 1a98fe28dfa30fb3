#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Small pieces of text for people.
namespace ingot::client {

// The width of a terminal's cells that `text` takes, and the longest beginning that fits into `cells`.
std::size_t display_width(std::string_view text);
std::string cut_to_width(std::string_view text, std::size_t cells);

// One line of a program's output, safe to print: colours and cursor movements go, of a progress bar redrawn with
// carriage returns the last state stays, other control characters are shown as \xNN.
std::string clean_output(std::string_view line);

// Text of others on one line of a terminal: control characters and bytes that are no UTF-8 as \\xNN, so that neither
// can drive it. `visible_lines` keeps newlines.
std::string visible(std::string_view text);
std::string visible_lines(std::string_view text);

// " (linux/arm64, linux/s390x)", to stand behind an image's name; "" where there are none.
std::string shown_platforms(const std::vector<std::string>& platforms);

// "2026-11-20 14:03" in the local time zone; "-" for 0.
std::string human_time(std::int64_t unix_ms);

// The log's prefix: the target in 20 columns, right-justified, and " | ".
std::string log_prefix(const std::string& target);

struct Style {
  bool color = false;
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string red(const std::string& text) const { return paint("31", text); }
  std::string green(const std::string& text) const { return paint("32", text); }
  std::string yellow(const std::string& text) const { return paint("33", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return color ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
  }
};

}  // namespace ingot::client
