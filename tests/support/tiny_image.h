#pragma once

#include <filesystem>

namespace ingot::test {

// Writes an OCI layout with one small image: a static busybox with its commands, /etc/passwd and little else. It is
// what tests use where any image will do, since it needs no mirror and no registry. Throws when busybox is not
// installed.
void write_tiny_image(const std::filesystem::path& layout);

}  // namespace ingot::test
