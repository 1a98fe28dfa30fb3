#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/shell/comparison.h"
#include "daemon/shell/shell.h"

namespace ingot::shell {

// Which program evaluates: `test` and `[`, or busybox's `[[`, which is the same command with more in it.
struct TestDialect {
  Shell shell = Shell::dash;
  bool doubled = false;
  bool plain_order = false;  // ranges in regular expressions are those of ASCII
};

// Busybox's `[[` has these for -a and -o.
bool is_list_operator(std::string_view argument);

// The answer of `test arguments...`.
Outcome test_command(const std::vector<std::string>& arguments, const TestDialect& dialect);

}  // namespace ingot::shell
