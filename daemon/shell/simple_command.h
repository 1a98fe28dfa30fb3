#pragma once

#include <vector>

#include "daemon/shell/comparison.h"
#include "daemon/shell/expansion.h"

namespace ingot::shell {

// How a command ends that is made of these words: `test`, `[`, `true`, `false`, `:`, no command at all, and `[[` of
// shells to which that is a command.
Outcome run_simple_command(const std::vector<Word>& words, Shell shell, const Environment& environment,
                           Expander& expander);

}  // namespace ingot::shell
