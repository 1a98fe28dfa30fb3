#include "client/render/text_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "client/render/text.h"

namespace ingot::client {

namespace {

constexpr std::size_t kContext = 3;
constexpr std::size_t kMostCells = 16U << 20;  // of the table that finds what two texts share

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Line {
  char mark;  // ' ', '-' or '+'
  std::string_view text;
};

// The lines in between equal beginnings and ends: those that both have in the same order stay.
void add_middle(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b,
                std::vector<Line>& lines) {
  if (a.size() * b.size() > kMostCells) {
    for (const auto line : a) lines.push_back({'-', line});
    for (const auto line : b) lines.push_back({'+', line});
    return;
  }
  const std::size_t width = b.size() + 1;
  std::vector<std::uint32_t> common((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i * width + j] = a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1
                                           : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      lines.push_back({' ', a[i]});
      ++i;
      ++j;
    } else if (j == b.size() || (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      lines.push_back({'-', a[i++]});
    } else {
      lines.push_back({'+', b[j++]});
    }
  }
}

std::vector<Line> compare(std::vector<std::string_view> a, std::vector<std::string_view> b) {
  std::vector<Line> lines;
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t head = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  for (std::size_t i = 0; i < head; ++i) lines.push_back({' ', a[i]});
  add_middle({a.begin() + static_cast<std::ptrdiff_t>(head), a.end() - static_cast<std::ptrdiff_t>(tail)},
             {b.begin() + static_cast<std::ptrdiff_t>(head), b.end() - static_cast<std::ptrdiff_t>(tail)}, lines);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) lines.push_back({' ', a[i]});
  return lines;
}

}  // namespace

std::string text_diff(std::string_view before, std::string_view after, const std::string& name) {
  if (before == after) return {};
  const auto lines = compare(lines_of(before), lines_of(after));
  std::string text = fmt::format("--- {}\n+++ {}\n", visible(name), visible(name));
  std::size_t old_line = 1;
  std::size_t new_line = 1;
  for (std::size_t at = 0; at < lines.size();) {
    if (lines[at].mark == ' ') {
      ++old_line;
      ++new_line;
      ++at;
      continue;
    }
    // A hunk goes on until so many lines in a row are equal that its context and the next one's do not touch.
    const std::size_t begin = at - std::min(at, kContext);
    std::size_t end = at;
    for (std::size_t i = at; i < lines.size() && i <= end + 2 * kContext; ++i) {
      if (lines[i].mark != ' ') end = i + 1;
    }
    const std::size_t stop = std::min(end + kContext, lines.size());
    const std::size_t old_start = old_line - (at - begin);
    const std::size_t new_start = new_line - (at - begin);
    const auto first = lines.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = lines.begin() + static_cast<std::ptrdiff_t>(stop);
    const auto removed = std::count_if(first, last, [](const Line& line) { return line.mark != '+'; });
    const auto added = std::count_if(first, last, [](const Line& line) { return line.mark != '-'; });
    text += fmt::format("@@ -{},{} +{},{} @@\n", old_start, removed, new_start, added);
    for (std::size_t i = begin; i < stop; ++i) {
      text += lines[i].mark + visible(lines[i].text) + "\n";
      if (i < at) continue;
      if (lines[i].mark != '+') ++old_line;
      if (lines[i].mark != '-') ++new_line;
    }
    at = stop;
  }
  if (lines.end() == std::find_if(lines.begin(), lines.end(), [](const Line& line) { return line.mark != ' '; })) {
    text += "(only the line break at the end of the file differs)\n";
  }
  return text;
}

}  // namespace ingot::client
