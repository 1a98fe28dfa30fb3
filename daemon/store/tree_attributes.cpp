#include "daemon/store/tree_attributes.h"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::store {

using base::fail_errno;

Result<ExtendedAttributes> extended_attributes(int fd, const std::string& path) {
  ExtendedAttributes found;
  thread_local std::vector<char> buffer(64U << 10);
  const ssize_t size = flistxattr(fd, buffer.data(), buffer.size());
  if (size < 0 && errno != EOPNOTSUPP) return fail_errno(errno, "cannot list the attributes of " + path);
  if (size <= 0) return found;
  for (const auto& name : base::split({buffer.data(), static_cast<std::size_t>(size)}, '\0')) {
    if (name.empty()) continue;
    const ssize_t length = fgetxattr(fd, name.c_str(), buffer.data(), buffer.size());
    if (length < 0) return fail_errno(errno, "cannot read attribute " + name + " of " + path);
    found.emplace_back(name, std::string(buffer.data(), static_cast<std::size_t>(length)));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<ExtendedAttributes> tree_attributes(int fd, const std::string& path) {
  INGOT_TRY(auto found, extended_attributes(fd, path));
  std::erase_if(found, [](const auto& attribute) {
    return attribute.first == "trusted.overlay.origin" || attribute.first == "trusted.overlay.impure";
  });
  return found;
}

Result<ExtendedAttributes> attributes_to_copy(int fd, const std::string& path) {
  INGOT_TRY(auto found, extended_attributes(fd, path));
  std::erase_if(found, [](const auto& attribute) {
    return attribute.first.starts_with("trusted.overlay.") || attribute.first == "security.selinux";
  });
  return found;
}

}  // namespace ingot::store
