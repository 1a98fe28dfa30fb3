#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/conformance/case_file.h"
#include "tests/support/test_daemon.h"

namespace ingot::conformance {

// What builds: a daemon and its client, or what a test of the runner puts in their place.
class Builder {
 public:
  virtual ~Builder() = default;
  virtual std::filesystem::path project() const = 0;
  // Shell commands in the project directory, with `ingot` to call.
  virtual test::RunResult shell(const std::string& commands) = 0;
};

// Runs the case and its twin, in each of its versions; what was not as expected, one string each. The project
// directory holds afterwards what the last run left.
std::vector<std::string> problems_of(const Case& one, Builder& builder);

// What the RUNs of a build printed, from its log.
std::vector<std::string> printed_lines(const std::string& log);

}  // namespace ingot::conformance
