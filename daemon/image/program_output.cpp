#include "daemon/image/program_output.h"

#include "daemon/base/strings.h"

namespace ingot::image {

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLongestQuote = 600;

}  // namespace

void LineCutter::feed(std::string_view bytes) {
  for (char c : bytes) {
    if (c == '\n' || c == '\r')
      finish();
    else if (line_.size() < kLongestLine)
      line_ += c;
  }
}

void LineCutter::finish() {
  if (line_.empty()) return;
  const std::string line = std::move(line_);
  line_.clear();
  take_(line);
}

std::string excerpt(std::string_view words) {
  std::string text = base::printable(base::trim(words));
  if (text.size() <= kLongestQuote) return text;
  text.resize(base::valid_utf8_prefix(std::string_view(text).substr(0, kLongestQuote)));
  return text + "...";
}

}  // namespace ingot::image
