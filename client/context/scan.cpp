#include "client/context/scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "client/context/ignore.h"
#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorKind::invalid, "cannot send \"" + base::printable(path) + "\": " + why,
              "remove it, or list it in .earthlyignore");
}

Result<IgnoreRules> read_rules(const fs::path& directory) {
  if (access((directory / ".earthignore").c_str(), F_OK) == 0) {
    return fail(ErrorKind::invalid, "there is a file .earthignore", "rename it to .earthlyignore");
  }
  auto text = sys::read_file(directory / ".earthlyignore", 1U << 20);
  if (!text && text.error().kind == ErrorKind::not_found) return IgnoreRules();
  if (!text) return fail(text.error());
  return IgnoreRules::parse(*text);
}

// Walks the directory and lists everything, files without digests.
class Walk {
 public:
  Walk(const fs::path& root, const IgnoreRules& rules, proto::ContextManifest& manifest)
      : root_(root), rules_(rules), manifest_(manifest) {}

  // `below` is "" or ends with a slash.
  Status directory(const std::string& below, bool ignored) {
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / below, error)) names.push_back(entry.path().filename());
    if (error) return fail_errno(error.value(), "cannot read directory " + (root_ / below).string());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) INGOT_CHECK(entry(below + name, ignored));
    return {};
  }

 private:
  Status entry(const std::string& path, bool parent_ignored) {
    struct stat status {};
    if (lstat((root_ / path).c_str(), &status) != 0) return fail_errno(errno, "cannot look at " + path);
    const bool ignored = rules_.ignores(path);
    if (ignored && !(S_ISDIR(status.st_mode) && rules_.may_bring_back_below(path))) return {};
    if (!base::is_valid_utf8(path)) return refuse(path, "its name is no UTF-8");
    proto::ManifestEntry row;
    row.path = path;
    row.mode = status.st_mode & 07777U;
    row.mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    if (S_ISDIR(status.st_mode)) {
      row.type = proto::EntryType::directory;
      if (!ignored && !parent_ignored) manifest_.entries.push_back(row);
      return directory(path + "/", ignored);
    }
    if (S_ISLNK(status.st_mode)) {
      row.type = proto::EntryType::symlink;
      std::error_code error;
      row.link_target = fs::read_symlink(root_ / path, error).string();
      if (error) return fail_errno(error.value(), "cannot read symlink " + path);
      row.mode = 0777;
    } else if (S_ISREG(status.st_mode)) {
      row.size = static_cast<std::uint64_t>(status.st_size);
    } else {
      return refuse(path, S_ISSOCK(status.st_mode)   ? "it is a socket"
                          : S_ISFIFO(status.st_mode) ? "it is a pipe"
                                                     : "it is a device");
    }
    manifest_.entries.push_back(std::move(row));
    return {};
  }

  const fs::path& root_;
  const IgnoreRules& rules_;
  proto::ContextManifest& manifest_;
};

Status hash_file(const fs::path& root, HashCache& cache, proto::ManifestEntry& entry) {
  const fs::path path = root / entry.path;
  INGOT_TRY(auto fd, sys::open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return fail_errno(errno, "cannot look at " + path.string());
  entry.size = static_cast<std::uint64_t>(status.st_size);
  if (auto known = cache.find(path, status)) {
    entry.digest = *known;
    return {};
  }
  base::Hasher hasher;
  std::vector<char> buffer(1 << 20);
  std::uint64_t size = 0;
  while (true) {
    ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read " + path.string());
    if (got == 0) break;
    hasher.update(buffer.data(), static_cast<std::size_t>(got));
    size += static_cast<std::uint64_t>(got);
  }
  entry.size = size;
  entry.digest = hasher.finish().str();
  if (size == static_cast<std::uint64_t>(status.st_size)) cache.remember(path, status, entry.digest);
  return {};
}

// All files' digests, by as many threads as help.
Status hash_all(const fs::path& root, HashCache& cache, proto::ContextManifest& manifest) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards failed
  Status failed;
  auto work = [&] {
    for (std::size_t i = next++; i < manifest.entries.size(); i = next++) {
      auto& entry = manifest.entries[i];
      if (entry.type != proto::EntryType::file) continue;
      auto hashed = hash_file(root, cache, entry);
      if (hashed) continue;
      std::lock_guard lock(mutex);
      failed = hashed;
      return;
    }
  };
  constexpr std::size_t kWorthThreads = 16;  // files
  std::vector<std::thread> threads;
  const unsigned more =
      manifest.entries.size() < kWorthThreads ? 0 : std::min(4U, std::thread::hardware_concurrency()) - 1;
  for (unsigned i = 0; i < more; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  return failed;
}

}  // namespace

Result<proto::ContextManifest> scan_project(const std::filesystem::path& directory, HashCache& cache) {
  INGOT_TRY(auto rules, read_rules(directory));
  proto::ContextManifest manifest;
  INGOT_CHECK(Walk(directory, rules, manifest).directory("", false));
  INGOT_CHECK(hash_all(directory, cache, manifest));
  cache.save();
  return manifest;
}

}  // namespace ingot::client
