#pragma once

#include <map>
#include <string>

namespace ingot::test {

// Reads Prometheus' text format, strictly: a family's HELP and TYPE come once and before its samples, names and labels
// are well formed, buckets grow and end at +Inf with the count. Samples by name and labels as written:
// `ingot_jobs{state="queued"}`. Throws std::runtime_error with the line that is wrong.
std::map<std::string, double> parse_metrics(const std::string& text);

}  // namespace ingot::test
