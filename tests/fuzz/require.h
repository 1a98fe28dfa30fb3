#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ingot::fuzz {

// What must hold of any input: where it does not, the fuzzer stops and keeps the input.
inline void require(bool holds, std::string_view what, std::string_view shown = {}) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%s\n", std::string(what).c_str(), std::string(shown).c_str());
  std::abort();
}

}  // namespace ingot::fuzz
