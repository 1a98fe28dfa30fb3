#pragma once

#include <string>

#include "daemon/base/result.h"

namespace ingot::image {

// An image's name as a FROM line writes it, in its parts.
struct Reference {
  std::string registry;    // "docker.io" when none is written
  std::string repository;  // "library/debian"
  std::string tag;         // "latest" when neither tag nor digest is written
  std::string digest;      // "sha256:..." or ""

  // As people write it: without docker.io/ and library/. What the rules of the configuration match.
  std::string familiar() const;
  std::string familiar_name() const;  // without tag and digest
  // With everything: what a registry is asked for.
  std::string full() const;
};

Result<Reference> parse_reference(const std::string& text);

}  // namespace ingot::image
