#include "proto/version.h"

namespace ingot::proto {

const char* const kVersion = INGOT_VERSION;

}  // namespace ingot::proto
