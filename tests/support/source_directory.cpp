#include "tests/support/source_directory.h"

namespace ingot::test {

std::filesystem::path source_directory() {
  return INGOT_SOURCE_DIR;
}

}  // namespace ingot::test
