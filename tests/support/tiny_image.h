#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ingot::test {

// Writes an OCI layout with one small image: a static busybox with its commands, /etc/passwd and little else. It is
// what tests use where any image will do, since it needs no mirror and no registry. It may be there for other
// architectures too, with this host's own programs. Throws when busybox is not installed.
void write_tiny_image(const std::filesystem::path& layout, const std::vector<std::string>& others = {});

}  // namespace ingot::test
