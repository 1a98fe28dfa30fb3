#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/atomic_file.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/file_lock.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::sys {

namespace fs = std::filesystem;

Result<UniqueFd> open_file(const fs::path& path, int flags, unsigned mode = 0644);
Result<std::string> read_file(const fs::path& path, std::uint64_t limit = 64U << 20);
Status write_all(int fd, std::string_view bytes);
Status make_directories(const fs::path& path, unsigned mode = 0755);
Status sync_directory(const fs::path& path);
// rename(2) and fsync of both parents: after it returns the new name survives a power cut.
Status rename_durably(const fs::path& from, const fs::path& to);
// Removes a tree whatever its modes and its depth are; a tree that is not there is no error. Symlinks are removed and
// never followed. A mount point in it is an error of kind `conflict`: what is mounted there stays untouched.
Status remove_tree(const fs::path& path);
// What a file of that size takes, in whole blocks, as `du` counts it.
std::uint64_t disk_bytes(std::uint64_t size);
// Of the files below a directory, as far as they are there while it is walked through.
std::uint64_t bytes_below(const fs::path& directory);
// Bytes that an unprivileged writer could still use on the file system of `path`.
Result<std::uint64_t> free_space(const fs::path& path);
Result<std::uint64_t> disk_size(const fs::path& path);  // of the file system that has it

}  // namespace ingot::sys
