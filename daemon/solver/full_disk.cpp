#include "daemon/solver/full_disk.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::solver {

Error with_full_disk(Error error, const std::filesystem::path& directory) {
  if (error.kind != ErrorKind::step_failed) return error;
  const auto left = sys::free_space(directory);
  const auto size = sys::disk_size(directory);
  // Some of what it wrote may be gone again by now.
  constexpr std::uint64_t kHardlyAny = 16U << 20U;
  if (!left || !size || *left >= std::max(*size / 100, kHardlyAny)) return error;
  error.message += fmt::format("; the disk has hardly any room, {} of {} are left", base::human_bytes(*left),
                               base::human_bytes(*size));
  error.hint = fmt::format(
      "if that is why: free some space on the file system of {}, such as by `ingot cache prune`, and try again",
      directory.string());
  return error;
}

}  // namespace ingot::solver
