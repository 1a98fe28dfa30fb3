#include "daemon/earthfile/shell_quote.h"

namespace ingot::earthfile {

std::string shell_quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text += text.empty() ? "'" : " '";
    for (char c : word) {
      if (c == '\'')
        text += "'\\''";
      else
        text += c;
    }
    text += '\'';
  }
  return text;
}

}  // namespace ingot::earthfile
