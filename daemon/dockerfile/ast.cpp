#include "daemon/dockerfile/ast.h"

#include <algorithm>

namespace ingot::dockerfile {

std::string Heredoc::lines() const {
  if (!strips_tabs) return content;
  std::string stripped;
  bool at_beginning = true;
  for (char c : content) {
    if (at_beginning && c == '\t') continue;
    at_beginning = c == '\n';
    stripped += c;
  }
  return stripped;
}

const Flag* Instruction::find(const std::string& flag) const {
  auto found = std::find_if(flags.rbegin(), flags.rend(), [&](const Flag& one) { return one.name == flag; });
  return found == flags.rend() ? nullptr : &*found;
}

}  // namespace ingot::dockerfile
