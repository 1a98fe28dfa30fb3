#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/dockerfile/dockerfile.h"
#include "daemon/dockerfile/expand.h"
#include "tests/fuzz/require.h"

// A Dockerfile that parses has a stage, and every word of it a value or an error; of any other each error has a text
// and a place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ingot::dockerfile;
  using ingot::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse(text, "Dockerfile");
  if (!file) {
    require(!file.error().empty(), "what does not parse has an error");
    for (const auto& error : file.error()) {
      require(!error.message.empty() && error.position.has_value(), "an error has a text and a place");
    }
    return 0;
  }
  require(!file->stages.empty(), "a Dockerfile has a stage");
  const Lookup lookup = [](const std::string& name) {
    return name.size() % 2 == 0 ? std::optional("of " + name) : std::nullopt;
  };
  for (const auto& stage : file->stages) {
    for (const auto& instruction : stage.instructions) {
      require(instruction.place.offset <= size, "an instruction stands in the file");
      for (const auto& word : instruction.words) {
        require(word.place.offset <= size, "a word stands in the file");
        static_cast<void>(expand(word, file->escape, lookup));
      }
      for (const auto& heredoc : instruction.heredocs) static_cast<void>(expand_lines(heredoc, file->escape, lookup));
    }
  }
  return 0;
}
