#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/earthfile/expand.h"

namespace ingot::earthfile {

struct OptionInfo {
  std::string name;  // "keep-ts", without "--"
  bool takes_value = false;
  std::string refused_because;  // known to the language, not to this version of Ingot
};

// A command's flags, and the words behind them.
struct Options {
  std::map<std::string, std::string> values;  // "true" for a flag without value
  std::vector<Word> rest;

  bool has(const std::string& name) const {
    auto found = values.find(name);
    return found != values.end() && found->second == "true";
  }
  std::string value(const std::string& name) const {
    auto found = values.find(name);
    return found == values.end() ? "" : found->second;
  }
};

// Flags end at the first word without "--", or behind a bare "--". A bool flag takes =true and =false, variables too.
Result<Options> parse_options(const Command& command, const std::vector<OptionInfo>& known, const Lookup& lookup);

}  // namespace ingot::earthfile
