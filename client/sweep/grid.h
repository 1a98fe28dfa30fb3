#pragma once

#include <string>
#include <vector>

#include "client/render/text.h"
#include "proto/sweep.h"

namespace ingot::client {

// A sweep as a table: the axis with the most values down, the others across. Where it has more than `rows` lines or
// `columns` of width, a line for each value across instead, with how many of its cells are in which state.
std::vector<std::string> draw_grid(const proto::Sweep& sweep, const Style& style, std::size_t rows,
                                   std::size_t columns);

// "12 of 60 done, 1 failed, 3 run"
std::string draw_counts(const proto::Sweep& sweep);

}  // namespace ingot::client
