#include <cstddef>
#include <cstdint>

#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/format.h"
#include "daemon/earthfile/lint.h"
#include "daemon/earthfile/print.h"
#include "tests/fuzz/require.h"

// A file that parses prints as one with the same tree, and `fmt` changes neither the tree nor what it has formatted
// itself. Of any other each error has a text and a place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ingot::earthfile;
  using ingot::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse(text, "Earthfile");
  if (!file) {
    require(!file.error().empty(), "what does not parse has an error");
    for (const auto& error : file.error()) {
      require(!error.message.empty() && error.position.has_value(), "an error has a text and a place");
      require(ingot::proto::render(error).size() < 10'000, "an error is short");
    }
    return 0;
  }
  const std::string printed = print(*file);
  const auto again = parse(printed, "printed");
  require(again.has_value(), "what is printed parses", printed);
  require(same_tree(*file, *again), "what is printed has the same tree", printed);
  const auto formatted = format(text, "Earthfile");
  require(formatted.has_value(), "what parses can be formatted");
  const auto tidy = parse(*formatted, "formatted");
  require(tidy.has_value() && same_tree(*file, *tidy), "fmt changes no tree", *formatted);
  require(format(*formatted, "formatted") == *formatted, "fmt changes nothing of its own", *formatted);
  return 0;
}
