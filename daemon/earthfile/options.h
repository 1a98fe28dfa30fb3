#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/earthfile/expand.h"

namespace ingot::earthfile {

struct OptionInfo {
  std::string name;  // "keep-ts", without "--"
  bool takes_value = false;
  // Known, and refused with a word of what to do instead; empty: understood.
  std::string instead;
  ErrorKind refused_as = ErrorKind::unsupported;  // or `syntax`: the language has no such flag
  std::string feature = {};                       // of the language, without which the flag is not known
  std::string why = {};                           // it is refused for good
};

// A command's flags, expanded, and where the words behind them begin.
struct Options {
  struct Value {
    std::string name;
    std::string text;  // "true" or "false" for a flag without value
    Place place;
    Word written = {};  // as it stands there; without text for a flag without value
  };
  std::vector<Value> values;   // as given, repetitions too
  std::size_t first_word = 0;  // index into Command::words

  // The last one given counts.
  const Value* find(const std::string& name) const;
  bool has(const std::string& name) const;
  std::vector<Word> words(const Command& command) const;
};

// Flags end at the first word without "--", or behind a bare "--". A bool flag takes =true and =false, variables too.
// One whose name is a single letter is written with one dash. `has` tells which features of the language are on; none:
// all of them.
Result<Options> parse_options(const Command& command, const std::vector<OptionInfo>& known, const Lookup& lookup,
                              const std::function<bool(const std::string& feature)>& has = {});

}  // namespace ingot::earthfile
