#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

// Gives the daemon a mount namespace of its own that still receives the host's mounts: what it mounts is seen
// by its containers and by nobody else, and is gone when it and they are, however it died. Before any thread
// is started.
Status enter_private_mount_namespace();

// A mounted directory; unmounted (lazily if it must) with the object.
class Mount {
 public:
  Mount(Mount&& other) noexcept : target_(std::move(other.target_)) { other.target_.clear(); }
  Mount& operator=(Mount&&) = delete;
  ~Mount();
  const fs::path& path() const { return target_; }
  Status unmount();

 private:
  friend Result<Mount> mount_overlay(const std::vector<fs::path>&, const fs::path&, const fs::path&, const fs::path&,
                                     const fs::path&);
  friend Result<Mount> mount_tmpfs(const fs::path&, const std::string&);
  explicit Mount(fs::path target) : target_(std::move(target)) {}
  fs::path target_;
};

// `lower` is bottom first. An empty `upper` gives a read-only mount. All of `lower` are below `base`: they
// are named relative to it, so that several hundred layers fit the kernel's one page of options; more than fit are an
// error of kind `unsupported`. Without any `lower`, `upper` itself is shown, writable.
Result<Mount> mount_overlay(const std::vector<fs::path>& lower, const fs::path& upper, const fs::path& work,
                            const fs::path& target, const fs::path& base);

// For small files that need not outlive the daemon; `size` as tmpfs takes it, such as "64m".
Result<Mount> mount_tmpfs(const fs::path& target, const std::string& size);

}  // namespace ingot::sys
