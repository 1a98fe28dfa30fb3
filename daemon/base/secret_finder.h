#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/pattern_trie.h"

namespace ingot::base {

// From one byte of a stream to behind another.
struct ByteSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// One reading of the stream: bytes that each come from a span of it.
class PatternScan {
 public:
  explicit PatternScan(const PatternTrie& patterns);

  // The span of the longest pattern that ends with this byte.
  std::optional<ByteSpan> step(unsigned char byte, ByteSpan from);
  void reset() { place_ = PatternTrie::kRoot; }
  // How many bytes may still become a pattern, and where the first of them is.
  std::size_t open() const { return patterns_->open(place_); }
  std::uint64_t begin() const { return begin_of(open()); }
  // What was read so far begins here at the earliest.
  void forget_before(std::uint64_t offset);

 private:
  std::uint64_t begin_of(std::size_t length) const { return begins_[(read_ - length) & (begins_.size() - 1)]; }

  const PatternTrie* patterns_;
  PatternTrie::Place place_ = PatternTrie::kRoot;
  std::vector<std::uint64_t> begins_;  // of the last bytes, round and round
  std::uint64_t read_ = 0;
};

// The stream with %XX read as the byte that it stands for.
class PercentReading {
 public:
  // Goes on from where a reading without escapes has got to.
  explicit PercentReading(PatternScan so_far) : scan_(std::move(so_far)) {}
  void byte(unsigned char byte, std::uint64_t offset, std::vector<ByteSpan>& found);
  void finish(std::vector<ByteSpan>& found);
  std::uint64_t pending(std::uint64_t end) const;

 private:
  void step(unsigned char byte, ByteSpan from, std::vector<ByteSpan>& found);
  void no_escape(int digits, std::vector<ByteSpan>& found);

  PatternScan scan_;
  int digits_ = -1;  // of an escape that has begun; -1: none has
  unsigned char first_digit_ = 0;
  std::uint64_t escape_ = 0;
};

// The stream with its base64 decoded, standard and URL-safe, in each of the four ways in which groups of four may lie
// in it. Line breaks within are passed over, as tools put them there; but what stands before one and is less than three
// bytes of a value counts as none of it, so that no line waits for the next.
class Base64Reading {
 public:
  explicit Base64Reading(const PatternTrie& patterns);
  void byte(unsigned char byte, std::uint64_t offset, std::vector<ByteSpan>& found);
  std::uint64_t pending(std::uint64_t end) const;

 private:
  void line_break(std::uint64_t offset);
  void character(unsigned value, std::uint64_t offset, std::vector<ByteSpan>& found);

  std::array<PatternScan, 4> scans_;  // by where the first group begins
  std::array<bool, 64> may_begin_{};  // six bits that are the first of a pattern
  std::uint64_t read_ = 0;            // characters since the text began
  unsigned last_ = 0;                 // the last one's value ...
  std::uint64_t last_offset_ = 0;     // ... and where it is
  bool after_break_ = false;
};

class SecretFinder {
 public:
  explicit SecretFinder(const PatternTrie& patterns);

  void read(std::string_view bytes);
  void finish();  // nothing more comes
  // What was found since the last time, in no order.
  std::vector<ByteSpan>& found() { return found_; }
  // Before it, nothing can become part of a value any more.
  std::uint64_t settled() const;
  std::uint64_t end() const { return end_; }

 private:
  PatternScan plain_;
  std::optional<PercentReading> percent_;  // from the first percent sign on
  Base64Reading base64_;
  std::vector<ByteSpan> found_;
  std::uint64_t end_ = 0;
};

}  // namespace ingot::base
