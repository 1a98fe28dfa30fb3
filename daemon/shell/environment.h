#pragma once

#include <optional>
#include <string>

#include "daemon/shell/shell.h"

namespace ingot::shell {

// What a shell finds in its environment when it starts, as far as it leaves it alone.
class Environment {
 public:
  struct Variable {
    bool set = false;
    std::string value;
  };

  explicit Environment(const Lookup& lookup) : lookup_(lookup) {}

  // Something is set that changes what shells do with everything else.
  bool disturbs_shells() const;
  // bash takes functions from the environment, and they go before builtins.
  bool defines_function(const std::string& name) const;
  // Ranges such as [a-z] are those of ASCII, whichever libc reads them.
  bool has_plain_order() const;
  // nullopt: the shell gives the variable a value of its own, or the value has bytes that shells have had trouble with.
  std::optional<Variable> variable(const std::string& name) const;

 private:
  const Lookup& lookup_;
};

}  // namespace ingot::shell
