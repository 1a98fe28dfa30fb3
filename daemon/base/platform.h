#pragma once

#include <compare>
#include <string>

#include "daemon/base/result.h"

namespace ingot::base {

// What the programs of a file system are for, in the words of container images.
struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant = {};  // "v7"; empty where the architecture has but one, and for the usual one

  auto operator<=>(const Platform&) const = default;  // NOLINT(modernize-use-nullptr): it takes the default for a 0
  std::string text() const;                           // "linux/arm/v7"
};

// This host's.
const Platform& native_platform();
// "linux/amd64", "arm64", "linux/arm/v6"; other spellings of the same ("linux/x86_64", "linux/arm64/v8", "linux/arm")
// come out as one. Kind `invalid` for what is none, `unsupported` for another system than Linux; errors have no
// position.
Result<Platform> parse_platform(const std::string& text);
// Of what an image says itself, which may be anything: the same spelling for the same platform.
Platform normalized(Platform platform);
// As a step or an image of a graph has it: empty for this host's own, which is what they are made for mostly.
std::string foreign_platform(const Platform& platform);
// The other way round; the text is one that platforms give.
Platform platform_of(const std::string& foreign);

// How well an image of one platform serves where another one is wanted: 0 is the very same, more is less, and what is
// negative does not run there. Newer variants run what was made for older ones.
int distance(const Platform& image, const Platform& wanted);

}  // namespace ingot::base
