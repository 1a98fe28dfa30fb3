#pragma once

#include "daemon/graph/graph.h"
#include "daemon/sys/files.h"

namespace ingot::solver {

// The longest that a command may print that is asked something: it becomes a variable's value, or a list of them.
inline constexpr std::size_t kLongestAnswer = 1U << 20;

// An answer is kept as the layer of its step, so that it is found again, and goes, like what any step made.
Status write_answer(const sys::fs::path& layer, const graph::Answer& answer);
Result<graph::Answer> read_answer(const sys::fs::path& layer);

}  // namespace ingot::solver
