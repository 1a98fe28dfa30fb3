#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/shell/environment.h"
#include "daemon/shell/word.h"

namespace ingot::shell {

// A stretch of an expanded word, and how it got there.
struct Run {
  enum class Origin {
    written,   // stands in the command, unquoted
    escaped,   // stands in the command behind a backslash
    expanded,  // came out of an unquoted `$...`, so it is split
    quoted,
  };
  Origin origin = Origin::written;
  std::string text;
};

// Gives words their values. One serves one command line, and bounds what that line may grow to.
class Expander {
 public:
  explicit Expander(const Environment& environment) : environment_(environment) {}

  // The stretches of a word that is not split (bash's `[[ ]]`).
  std::optional<std::vector<Run>> runs(const Word& word);
  // All words of a command as its arguments: split at blanks, where unquoted. nullopt also where file names could
  // match.
  std::optional<std::vector<std::string>> fields(const std::vector<Word>& words);

 private:
  bool append_part(const Part& part, bool inside_braces, std::vector<Run>& out);
  bool append_parameter(const Parameter& parameter, Quoting quoting, std::vector<Run>& out);
  bool append_value(std::string value, Quoting quoting, std::vector<Run>& out);
  bool spend(std::size_t size);

  const Environment& environment_;
  std::size_t budget_ = 256U << 10;
};

std::string text_of(const std::vector<Run>& runs);

}  // namespace ingot::shell
