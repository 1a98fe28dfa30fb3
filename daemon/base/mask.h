#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/pattern_trie.h"
#include "daemon/base/result.h"

namespace ingot::base {

// Values that nobody shall read, as they are looked for in texts: as they stand, line by line, and with what JSON and
// HTML forms make of them. White space around a value is not looked for; what is left of it may be too short.
class Mask {
 public:
  // What is shorter is in too many innocent words.
  static constexpr std::size_t kShortest = 4;
  static bool hides(std::string_view value);

  explicit Mask(const std::vector<std::string>& values);

  bool empty() const { return patterns_.empty(); }
  const PatternTrie& patterns() const { return patterns_; }
  // The text with "***" for each value. An error with all of its texts treated so.
  std::string apply(std::string_view text) const;
  Error apply(Error error) const;

 private:
  PatternTrie patterns_;
};

// Where in a stream of bytes a mask's values are, as they stand, percent-encoded, or in base64 whatever stands before
// them there.
class SecretFinder;

// A stream of bytes with "***" for each value, however the bytes are cut into pieces. Held back is only what can still
// become a value.
class MaskedStream {
 public:
  explicit MaskedStream(std::shared_ptr<const Mask> mask);
  MaskedStream(MaskedStream&&) noexcept;
  MaskedStream& operator=(MaskedStream&&) noexcept;
  ~MaskedStream();

  std::string add(std::string_view bytes);
  // The stream has ended: what was held back.
  std::string finish();

 private:
  std::string show(std::uint64_t until);

  std::shared_ptr<const Mask> mask_;
  std::unique_ptr<SecretFinder> finder_;
  std::string held_;         // not shown yet, from shown_ on
  std::uint64_t shown_ = 0;  // how far the stream was shown
  bool in_value_ = false;    // the last byte that was shown was one of a value
};

}  // namespace ingot::base
