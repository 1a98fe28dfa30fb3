#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daemon/shell/shell.h"
#include "tests/fuzz/require.h"

namespace {

std::optional<std::string> value_of(const std::string& name) {
  if (name == "X") return "a b";
  if (name == "E") return "";
  if (name == "N") return "-12";
  if (name == "LONG") return std::string(2000, 'a');
  return std::nullopt;
}

}  // namespace

// What any shell would say is what each of them would say, and it does not change.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ingot::shell;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bool was_asked = false;
  const auto any = answer(text, value_of, [&was_asked]() -> std::optional<Shell> {
    ingot::fuzz::require(!was_asked, "the shell is asked for once");
    was_asked = true;
    return std::nullopt;
  });
  for (const Shell shell : {Shell::dash, Shell::bash, Shell::busybox}) {
    const auto one = answer_of(shell, text, value_of);
    if (any) ingot::fuzz::require(one == any, "what all shells agree on each of them says");
    const auto told = answer(text, value_of, [shell] { return std::optional(shell); });
    ingot::fuzz::require(told == one, "a shell that is asked for says what it says by itself");
  }
  return 0;
}
