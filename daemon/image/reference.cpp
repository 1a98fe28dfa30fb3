#include "daemon/image/reference.h"

#include <algorithm>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"

namespace ingot::image {

namespace {

constexpr const char* kDefaultRegistry = "docker.io";
constexpr const char* kDefaultNamespace = "library/";

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// "[a-z0-9]+" joined by ".", "_", "__" or dashes: no part can be "..", or be taken for an option.
bool is_repository(const std::string& text) {
  for (const auto& part : base::split(text, '/')) {
    if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
    if (part.find("..") != std::string::npos) return false;
    const auto allowed = [](char c) { return is_lower_or_digit(c) || c == '.' || c == '_' || c == '-'; };
    if (!std::all_of(part.begin(), part.end(), allowed)) return false;
  }
  return true;
}

// A host's name or address, "[::1]" too, with or without a port.
bool is_registry(const std::string& text) {
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  };
  return (is_alphanumeric(text.front()) || text.front() == '[') && text.find("..") == std::string::npos &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool is_tag(const std::string& text) {
  constexpr std::size_t kLongest = 128;
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= kLongest && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), allowed);
}

tl::unexpected<Error> bad(const std::string& text, const std::string& why, const std::string& hint) {
  return base::fail(ErrorKind::invalid, "\"" + base::printable(text) + "\" is no image name: " + why, hint);
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
    if (!base::Digest::parse(reference.digest)) {
      return bad(text, "what follows \"@\" is no sha256 digest", form);
    }
  }
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    reference.tag = rest.substr(colon + 1);
    rest.resize(colon);
    if (!is_tag(reference.tag)) {
      return bad(text, "its tag has other characters than letters, digits, \"_\", \".\" and \"-\", or too many", form);
    }
  }
  // The part before the first slash is a registry when it looks like a host: with a dot, a port, or "localhost".
  const std::size_t first = rest.find('/');
  const std::string head = rest.substr(0, first);
  const bool host =
      first != std::string::npos && (head.find_first_of(".:") != std::string::npos || head == "localhost");
  const bool docker_hub = !host || head == kDefaultRegistry || head == "index.docker.io";
  reference.registry = docker_hub ? kDefaultRegistry : head;
  reference.repository = host ? rest.substr(first + 1) : rest;
  if (host && !is_registry(head)) return bad(text, "\"" + head + "\" is no host", form);
  if (!is_repository(reference.repository)) {
    return bad(text, "a name has lower-case letters and digits, with single \".\", \"_\", \"-\" or \"/\" between them",
               form);
  }
  if (docker_hub && reference.repository.find('/') == std::string::npos)
    reference.repository = kDefaultNamespace + reference.repository;
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

}  // namespace ingot::image
