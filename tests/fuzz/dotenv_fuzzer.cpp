#include <cstddef>
#include <cstdint>

#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "tests/fuzz/require.h"

// A dotenv file gives variables that have names, or an error at one of its lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ingot::fuzz::require;
  const auto values = ingot::earthfile::parse_dotenv({reinterpret_cast<const char*>(data), size}, ".arg");
  if (!values) {
    require(!values.error().message.empty() && values.error().position.has_value(), "an error has a text and a place");
    return 0;
  }
  for (const auto& [name, value] : *values) {
    require(!name.empty() && name.find('=') == std::string::npos, "a variable has a name", name);
    require(ingot::base::is_valid_utf8(value), "a value is text", value);
  }
  return 0;
}
