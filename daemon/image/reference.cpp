#include "daemon/image/reference.h"

#include <algorithm>
#include <cctype>

namespace ingot::image {

namespace {

constexpr const char* kDefaultRegistry = "docker.io";
constexpr const char* kDefaultNamespace = "library/";

bool is_repository_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
}
bool is_tag_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

tl::unexpected<Error> bad(const std::string& text, const std::string& why, const std::string& hint) {
  return base::fail(ErrorKind::invalid, "\"" + text + "\" is no image name: " + why, hint);
}

}  // namespace

std::string Reference::familiar_name() const {
  if (registry != kDefaultRegistry) return registry + "/" + repository;
  return repository.starts_with(kDefaultNamespace) ? repository.substr(std::string(kDefaultNamespace).size())
                                                   : repository;
}

std::string Reference::familiar() const {
  return familiar_name() + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

std::string Reference::full() const {
  // A registry refuses a name with both; the digest is what is meant.
  return registry + "/" + repository + (digest.empty() ? ":" + tag : "@" + digest);
}

Result<Reference> parse_reference(const std::string& text) {
  const char* form = "write [registry/]name[:tag][@sha256:...]";
  if (text.empty()) return bad(text, "it is empty", form);
  if (text.find("://") != std::string::npos) return bad(text, "it has a scheme", "leave out everything before \"//\"");
  Reference reference;
  std::string rest = text;
  if (std::size_t at = rest.find('@'); at != std::string::npos) {
    reference.digest = rest.substr(at + 1);
    rest.resize(at);
    if (!reference.digest.starts_with("sha256:") || reference.digest.size() != 71) {
      return bad(text, "what follows \"@\" is no sha256 digest", form);
    }
  }
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    reference.tag = rest.substr(colon + 1);
    rest.resize(colon);
    if (reference.tag.empty() || reference.tag.size() > 128 ||
        !std::all_of(reference.tag.begin(), reference.tag.end(), is_tag_character)) {
      return bad(text, "its tag has other characters than letters, digits, \"_\", \".\" and \"-\"", form);
    }
  }
  // The part before the first slash is a registry when it looks like a host: with a dot, a port, or "localhost".
  const std::size_t first = rest.find('/');
  const std::string head = rest.substr(0, first);
  const bool host =
      first != std::string::npos && (head.find_first_of(".:") != std::string::npos || head == "localhost");
  reference.registry = host ? head : kDefaultRegistry;
  reference.repository = host ? rest.substr(first + 1) : rest;
  if (reference.repository.empty() ||
      !std::all_of(reference.repository.begin(), reference.repository.end(), is_repository_character)) {
    return bad(text, "a name has lower-case letters, digits, \".\", \"_\", \"-\" and \"/\" only", form);
  }
  if (!host && first == std::string::npos) reference.repository = kDefaultNamespace + reference.repository;
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

}  // namespace ingot::image
