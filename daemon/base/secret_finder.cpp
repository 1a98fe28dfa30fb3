#include "daemon/base/secret_finder.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace ingot::base {

namespace {

// The value of a hexadecimal digit; -1: it is none.
int hex_value(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::int8_t kNoCharacter = -1;

// Both alphabets at once: no text has both.
constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = kNoCharacter;
  for (int i = 0; i < 26; ++i) {
    values['A' + i] = static_cast<std::int8_t>(i);
    values['a' + i] = static_cast<std::int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) values['0' + i] = static_cast<std::int8_t>(52 + i);
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  return values;
}
constexpr std::array<std::int8_t, 256> kBase64Values = make_base64_values();

}  // namespace

PatternScan::PatternScan(const PatternTrie& patterns)
    : patterns_(&patterns), begins_(std::bit_ceil(patterns.longest() + 1)) {}

std::optional<ByteSpan> PatternScan::step(unsigned char byte, ByteSpan from) {
  if (place_ == PatternTrie::kRoot && !patterns_->begins_one(byte)) return std::nullopt;
  begins_[read_++ & (begins_.size() - 1)] = from.begin;
  place_ = patterns_->next(place_, byte);
  const std::size_t length = patterns_->match(place_);
  if (length == 0) return std::nullopt;
  return ByteSpan{begin_of(length), from.end};
}

void PatternScan::forget_before(std::uint64_t offset) {
  for (std::size_t back = open(); back > 0; --back) {
    auto& begin = begins_[(read_ - back) & (begins_.size() - 1)];
    begin = std::max(begin, offset);
  }
}

void PercentReading::step(unsigned char byte, ByteSpan from, std::vector<ByteSpan>& found) {
  if (auto span = scan_.step(byte, from)) found.push_back(*span);
}

void PercentReading::byte(unsigned char byte, std::uint64_t offset, std::vector<ByteSpan>& found) {
  if (digits_ >= 0) {
    const int value = hex_value(byte);
    if (value >= 0 && digits_ == 0) {
      first_digit_ = byte;
      digits_ = 1;
      return;
    }
    const int digits = std::exchange(digits_, -1);
    if (value >= 0) {
      return step(static_cast<unsigned char>(hex_value(first_digit_) << 4 | value), {escape_, offset + 1}, found);
    }
    no_escape(digits, found);
  }
  if (byte == '%') {
    digits_ = 0;
    escape_ = offset;
    return;
  }
  step(byte, {offset, offset + 1}, found);
}

// None after all: each byte stands for itself.
void PercentReading::no_escape(int digits, std::vector<ByteSpan>& found) {
  step('%', {escape_, escape_ + 1}, found);
  if (digits == 1) step(first_digit_, {escape_ + 1, escape_ + 2}, found);
}

void PercentReading::finish(std::vector<ByteSpan>& found) {
  if (const int digits = std::exchange(digits_, -1); digits >= 0) no_escape(digits, found);
}

std::uint64_t PercentReading::pending(std::uint64_t end) const {
  if (scan_.open() > 0) return scan_.begin();
  return digits_ >= 0 ? escape_ : end;
}

Base64Reading::Base64Reading(const PatternTrie& patterns)
    : scans_{PatternScan(patterns), PatternScan(patterns), PatternScan(patterns), PatternScan(patterns)} {
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (patterns.begins_one(static_cast<unsigned char>(byte))) may_begin_[byte >> 2U] = true;
  }
}

void Base64Reading::byte(unsigned char byte, std::uint64_t offset, std::vector<ByteSpan>& found) {
  if (const std::int8_t value = kBase64Values[byte]; value != kNoCharacter) {
    return character(static_cast<unsigned>(value), offset, found);
  }
  if (read_ == 0) return;
  if (byte == '\n' || byte == '\r') return line_break(offset);
  for (auto& scan : scans_) scan.reset();
  read_ = 0;
}

void Base64Reading::line_break(std::uint64_t offset) {
  constexpr std::size_t kEnoughToWait = 3;
  for (auto& scan : scans_) {
    if (scan.open() < kEnoughToWait) scan.forget_before(offset + 1);
  }
  last_offset_ = offset + 1;
  after_break_ = true;
}

// With this character three of the four ways have a byte more, of the last one's bits and its own.
void Base64Reading::character(unsigned value, std::uint64_t offset, std::vector<ByteSpan>& found) {
  for (unsigned way = 0; way < scans_.size(); ++way) {
    if (read_ <= way) continue;
    const unsigned in_group = (read_ - way) % 4;
    if (in_group == 0) continue;
    const unsigned byte = in_group == 1   ? last_ << 2U | value >> 4U
                          : in_group == 2 ? last_ << 4U | value >> 2U
                                          : last_ << 6U | value;
    // A character that has bits of another byte before is left as it is when it stands in front of a value.
    const std::uint64_t begin = in_group == 1 ? last_offset_ : offset;
    if (auto span = scans_[way].step(static_cast<unsigned char>(byte), {begin, offset + 1})) found.push_back(*span);
  }
  ++read_;
  last_ = value;
  last_offset_ = offset;
  after_break_ = false;
}

std::uint64_t Base64Reading::pending(std::uint64_t end) const {
  std::uint64_t first = end;
  for (unsigned way = 0; way < scans_.size(); ++way) {
    const PatternScan& scan = scans_[way];
    if (scan.open() > 0) {
      first = std::min(first, scan.begin());
    } else if (read_ > way && !after_break_ && (read_ - 1 - way) % 4 == 0 && may_begin_[last_]) {
      first = std::min(first, last_offset_);
    }
  }
  return first;
}

SecretFinder::SecretFinder(const PatternTrie& patterns) : plain_(patterns), base64_(patterns) {}

void SecretFinder::read(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const std::uint64_t offset = end_++;
    // Up to the first percent sign both are the same.
    if (byte == '%' && !percent_) percent_.emplace(plain_);
    if (percent_) percent_->byte(byte, offset, found_);
    if (auto span = plain_.step(byte, {offset, offset + 1})) found_.push_back(*span);
    base64_.byte(byte, offset, found_);
  }
}

void SecretFinder::finish() {
  if (percent_) percent_->finish(found_);
}

std::uint64_t SecretFinder::settled() const {
  std::uint64_t first = std::min(end_, base64_.pending(end_));
  if (plain_.open() > 0) first = std::min(first, plain_.begin());
  if (percent_) first = std::min(first, percent_->pending(end_));
  return first;
}

}  // namespace ingot::base
