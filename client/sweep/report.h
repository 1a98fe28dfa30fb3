#pragma once

#include <string>

#include "client/sweep/summary.h"

// A sweep for whoever was not there: a CI's test page, its summary, a page of its own.
namespace ingot::client {

std::string junit_report(const proto::Sweep& sweep);
std::string markdown_report(const proto::Sweep& sweep, const proto::Sweep* before);
// The summary on a terminal, and `diff`: what is otherwise than in `before`.
std::string text_summary(const proto::Sweep& sweep, const proto::Sweep* before);
std::string text_diff_of(const proto::Sweep& sweep, const proto::Sweep& before);

}  // namespace ingot::client
