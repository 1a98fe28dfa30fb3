#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// What words are given their values from.
struct Lookup {
  using Variable = std::function<std::optional<std::string>(const std::string& name)>;
  // What a command prints in the container, one line break at its end left out.
  using ShellOut = std::function<Result<std::string>(const std::string& command, const Place& place)>;
  // The value of a variable that somebody has to be asked for, who may not answer; none: it is no such variable.
  using Asked = std::function<Result<std::optional<std::string>>(const std::string& name, const Place& place)>;

  template <typename F>
  requires std::is_invocable_r_v < std::optional<std::string>, F,
  const std::string& > Lookup(F variables)
      : variable(std::move(variables)) {}  // NOLINT(google-explicit-constructor): most have no more
  Lookup(Variable variables, ShellOut run, Asked ask)
      : variable(std::move(variables)), shell_out(std::move(run)), asked(std::move(ask)) {}

  Variable variable;
  ShellOut shell_out;  // none: there is no container to ask
  Asked asked;         // of what `variable` does not know; none: there is nobody
};

// The longest value of a variable: Linux takes no longer string into a process.
inline constexpr std::size_t kLongestValue = 128U << 10;

// Gives a word its value: quotes go, `\` takes the next character literally, and `$X`, `${X}`, `${X:-d}`, `${X:+a}`,
// `${X:?m}`, `${X#p}`, `${X%s}` and `$(...)` are replaced outside of single quotes. What is not set is "".
Result<std::string> expand(const Word& word, const Lookup& lookup);
// The same of a text that a shell reads later: its quotes stay, and so do backslashes that do not keep a "$".
Result<std::string> expand_for_shell(const Word& word, const Lookup& lookup);

}  // namespace ingot::earthfile
