#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "daemon/dockerfile/dockerfile.h"

namespace ingot::dockerfile::testing {

inline File parsed(std::string_view text) {
  auto file = parse(text, "Dockerfile");
  if (file) return *std::move(file);
  ADD_FAILURE() << proto::render(file.error().front());
  return {};
}

// Every syntax error, rendered, a blank line between them; "" when there is none.
inline std::string syntax_errors(std::string_view text) {
  auto file = parse(text, "Dockerfile");
  if (file) return "";
  std::string all;
  for (const auto& error : file.error()) all += (all.empty() ? "" : "\n\n") + proto::render(error);
  return all;
}

// The instructions of the only stage, which starts from nothing; their places lead nowhere.
inline std::vector<Instruction> instructions(const std::string& lines) {
  File file = parsed("FROM scratch\n" + lines);
  if (file.stages.empty()) return {};
  return std::move(file.stages.front().instructions);
}

}  // namespace ingot::dockerfile::testing
