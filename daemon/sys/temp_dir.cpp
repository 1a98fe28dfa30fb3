#include "daemon/sys/temp_dir.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "daemon/base/log.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  if (auto removed = remove_tree(path_); !removed) base::log::warning("{}", removed.error().message);
}

Result<TempDir> TempDir::create(const fs::path& parent, std::string_view prefix) {
  std::string pattern = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) {
    return base::fail_errno(errno, "cannot make a directory in " + parent.string());
  }
  return TempDir(fs::path(pattern));
}

}  // namespace ingot::sys
