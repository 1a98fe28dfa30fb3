#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The words of a command, as they are written.
namespace ingot::shell {

enum class Quoting {
  none,
  escaped,  // one character behind a backslash
  quoted,   // in '...' or "..."
};

struct Parameter;

// A piece of a word: text or, where `parameter` is set, a `$...`.
struct Part {
  Quoting quoting = Quoting::none;
  std::string text;
  std::unique_ptr<Parameter> parameter;
};

using Parts = std::vector<Part>;

struct Parameter {
  enum class Operation {
    value,        // $X ${X}
    length,       // ${#X}
    otherwise,    // ${X-operand}
    instead,      // ${X+operand}
    drop_prefix,  // ${X#operand}
    drop_suffix,  // ${X%operand}
  };

  std::string name;
  Operation operation = Operation::value;
  bool empty_is_unset = false;  // the colon of ${X:-operand}
  bool longest = false;         // ${X##operand}, ${X%%operand}
  Parts operand;
};

struct Word {
  Parts parts;

  // The word is this text, and nothing of it is quoted or expanded: what reserved words have to be.
  bool is_bare(std::string_view text) const {
    return parts.size() == 1 && parts[0].quoting == Quoting::none && !parts[0].parameter && parts[0].text == text;
  }
};

}  // namespace ingot::shell
