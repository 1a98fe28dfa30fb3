#include "daemon/base/mask.h"

#include <algorithm>
#include <cstdint>

#include "daemon/base/secret_finder.h"
#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

constexpr const char* kShown = "***";

// A value of any length is found by pieces of bounded length, which overlap, so that a printed value is covered without
// a gap and little is ever held back.
constexpr std::size_t kPiece = 1024;
constexpr std::size_t kOverlap = 16;

void add_pieces(std::vector<std::string>& patterns, std::string_view value) {
  if (value.size() < Mask::kShortest) return;
  if (value.size() <= kPiece) {
    patterns.emplace_back(value);
    return;
  }
  std::size_t at = 0;
  for (; at + kPiece < value.size(); at += kPiece - kOverlap) patterns.emplace_back(value.substr(at, kPiece));
  patterns.emplace_back(value.substr(value.size() - kPiece));
}

// As a JSON text has it between its quotes.
std::string json_escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : std::string(1, c);
  }
  return escaped;
}

void add_forms(std::vector<std::string>& patterns, std::string_view value) {
  add_pieces(patterns, value);
  if (value.find_first_of("\"\\\n\t\r") != std::string_view::npos) add_pieces(patterns, json_escaped(value));
  if (value.find(' ') == std::string_view::npos) return;
  // As an HTML form writes it; the rest of its escapes is decoded when it is looked for.
  std::string form(value);
  std::replace(form.begin(), form.end(), ' ', '+');
  add_pieces(patterns, form);
}

std::vector<std::string> patterns_of(const std::vector<std::string>& values) {
  constexpr std::size_t kShortestLine = 8;  // of a value that has several
  std::vector<std::string> patterns;
  for (const auto& value : values) {
    if (!Mask::hides(value)) continue;
    const std::string_view whole = trim(value);
    add_forms(patterns, whole);
    if (whole.find('\n') == std::string_view::npos) continue;
    for (const auto& line : split(whole, '\n')) {
      const std::string_view text = trim(line);
      if (text.size() >= kShortestLine) add_forms(patterns, text);
    }
  }
  return patterns;
}

}  // namespace

bool Mask::hides(std::string_view value) {
  return trim(value).size() >= kShortest;
}

Mask::Mask(const std::vector<std::string>& values) : patterns_(patterns_of(values)) {}

std::string Mask::apply(std::string_view text) const {
  // The stream lives no longer than this call.
  MaskedStream stream(std::shared_ptr<const Mask>(this, [](const Mask*) {}));
  std::string shown = stream.add(text);
  return shown + stream.finish();
}

Error Mask::apply(Error error) const {
  error.message = apply(error.message);
  error.hint = apply(error.hint);
  for (auto& line : error.context) line = apply(line);
  if (error.position) error.position->source_line = apply(error.position->source_line);
  return error;
}

MaskedStream::MaskedStream(std::shared_ptr<const Mask> mask)
    : mask_(std::move(mask)), finder_(std::make_unique<SecretFinder>(mask_->patterns())) {}
MaskedStream::MaskedStream(MaskedStream&&) noexcept = default;
MaskedStream& MaskedStream::operator=(MaskedStream&&) noexcept = default;
MaskedStream::~MaskedStream() = default;

std::string MaskedStream::add(std::string_view bytes) {
  held_ += bytes;
  finder_->read(bytes);
  return show(finder_->settled());
}

std::string MaskedStream::finish() {
  finder_->finish();
  return show(finder_->end());
}

// What is found may overlap, and may reach further than what is shown now.
std::string MaskedStream::show(std::uint64_t until) {
  auto& found = finder_->found();
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const std::uint64_t first = shown_;
  std::string text;
  auto span = found.begin();
  while (shown_ < until) {
    while (span != found.end() && span->end <= shown_) ++span;
    const std::uint64_t value = span == found.end() ? until : std::min(until, std::max(span->begin, shown_));
    if (value > shown_) {
      text.append(held_, shown_ - first, value - shown_);
      in_value_ = false;
      shown_ = value;
      continue;
    }
    if (!in_value_) text += kShown;
    in_value_ = true;
    shown_ = std::min(until, span->end);
  }
  found.erase(std::remove_if(found.begin(), found.end(), [&](const auto& one) { return one.end <= shown_; }),
              found.end());
  held_.erase(0, shown_ - first);
  return text;
}

}  // namespace ingot::base
