#include "daemon/sandbox/mount_points.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "daemon/base/strings.h"

namespace ingot::sandbox {

namespace {

struct FixedPlace {
  const char* path;
  bool directory;
};
constexpr std::array<FixedPlace, 5> kPlaces = {
    {{"proc", true}, {"dev", true}, {"sys", true}, {"etc/resolv.conf", false}, {"etc/hosts", false}}};

using Components = std::vector<std::string>;

std::string joined(const Components& components, std::size_t count) {
  return count == 0 ? "."
                    : base::join({components.begin(), components.begin() + static_cast<std::ptrdiff_t>(count)}, "/");
}

std::optional<std::string> link_target(const sys::RootedDir& root, const std::string& path) {
  auto link = root.open_path(path, O_PATH | O_NOFOLLOW);
  if (!link) return std::nullopt;
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlinkat(link->get(), "", target.data(), target.size());
  if (size <= 0) return std::nullopt;
  target.resize(static_cast<std::size_t>(size));
  return target;
}

struct Found {
  Components path;           // where it really is, or would be
  std::size_t existing = 0;  // how many of the components are there
};

// Nothing for a place that cannot be: a link to itself, for one.
std::optional<Found> find(const sys::RootedDir& root, const std::string& place) {
  constexpr int kMostLinks = 40;
  Found found;
  Components pending = base::split(place, '/');
  std::reverse(pending.begin(), pending.end());
  for (int links = 0; !pending.empty();) {
    const std::string name = std::move(pending.back());
    pending.pop_back();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!found.path.empty()) found.path.pop_back();
      found.existing = std::min(found.existing, found.path.size());
      continue;
    }
    found.path.push_back(name);
    if (found.existing + 1 < found.path.size()) continue;  // below something that is not there
    auto status = root.status(joined(found.path, found.path.size()), false);
    if (!status) continue;
    if (!S_ISLNK(status->st_mode)) {
      found.existing = found.path.size();
      continue;
    }
    auto target = link_target(root, joined(found.path, found.path.size()));
    if (!target || ++links > kMostLinks) return std::nullopt;
    found.path.pop_back();
    if (target->starts_with('/')) found.path.clear();
    found.existing = found.path.size();
    auto more = base::split(*target, '/');
    pending.insert(pending.end(), more.rbegin(), more.rend());
  }
  return found;
}

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Without a trace in the times of the directory that it was in. Only what is empty goes.
void remove_unnoticed(const sys::fs::path& path, bool directory) {
  const auto parent = path.parent_path();
  struct stat before {};
  struct stat own {};
  if (lstat(parent.c_str(), &before) != 0 || lstat(path.c_str(), &own) != 0) return;
  if (directory ? !S_ISDIR(own.st_mode) : !S_ISREG(own.st_mode) || own.st_size != 0) return;
  if ((directory ? rmdir(path.c_str()) : unlink(path.c_str())) != 0) return;
  const timespec times[2] = {before.st_atim, before.st_mtim};
  utimensat(AT_FDCWD, parent.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

Status make_mount_point_layer(const sys::fs::path& layer) {
  for (const auto& place : kPlaces) {
    const auto path = layer / place.path;
    INGOT_CHECK(sys::make_directories(place.directory ? path : path.parent_path()));
    if (!place.directory) INGOT_CHECK(sys::open_file(path, O_WRONLY | O_CREAT, 0644));
  }
  return {};
}

Result<MountPoints> MountPoints::make(const sys::RootedDir& root, const sys::fs::path& upper,
                                      const std::vector<Place>& more) {
  MountPoints points;
  for (const auto& place : kPlaces) INGOT_CHECK(points.make_one(root, upper, place.path, place.directory));
  for (const auto& place : more) INGOT_CHECK(points.make_one(root, upper, place.path.c_str(), place.directory));
  INGOT_CHECK(points.restore_times(root));
  return points;
}

Status MountPoints::make_one(const sys::RootedDir& root, const sys::fs::path& upper, const char* place,
                             bool directory) {
  const auto found = find(root, place);
  // What the runtime cannot use either is its to complain of.
  if (!found || found->existing == found->path.size()) return {};
  for (std::size_t i = 0; i <= found->existing; ++i) {
    INGOT_CHECK(remember(root, upper, joined(found->path, i)));
  }
  for (std::size_t i = found->existing + 1; i <= found->path.size(); ++i) {
    const bool is_directory = directory || i < found->path.size();
    const std::string path = joined(found->path, i);
    if (is_directory) {
      INGOT_CHECK(root.make_directories(path));
    } else {
      INGOT_TRY(auto file, root.open_path(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    }
    stubs_.push_back({path, is_directory});
  }
  return {};
}

Status MountPoints::remember(const sys::RootedDir& root, const sys::fs::path& upper, const std::string& path) {
  auto known = [&](const auto& entry) { return entry.path == path; };
  if (std::any_of(touched_.begin(), touched_.end(), known) || std::any_of(stubs_.begin(), stubs_.end(), known)) {
    return {};
  }
  INGOT_TRY(auto status, root.status(path, false));
  struct stat above {};
  touched_.push_back({path, status.st_mtim, lstat((upper / path).c_str(), &above) == 0, {}});
  return {};
}

Status MountPoints::restore_times(const sys::RootedDir& root) {
  for (auto& directory : touched_) {
    INGOT_TRY(auto fd, root.open_path(directory.path, O_RDONLY | O_DIRECTORY));
    const timespec times[2] = {{0, UTIME_OMIT}, directory.modified};
    struct stat status {};
    if (futimens(fd.get(), times) != 0 || fstat(fd.get(), &status) != 0) {
      return base::fail_errno(errno, "cannot restore the time of /" + directory.path + " in the step's root");
    }
    directory.changed = status.st_ctim;
  }
  return {};
}

void MountPoints::clean(const sys::fs::path& upper) const {
  std::vector<std::string> untouched;
  for (const auto& directory : touched_) {
    struct stat status {};
    if (directory.in_upper || lstat((upper / directory.path).c_str(), &status) != 0) continue;
    if (same(status.st_ctim, directory.changed)) untouched.push_back(directory.path);
  }
  for (auto stub = stubs_.rbegin(); stub != stubs_.rend(); ++stub) {
    remove_unnoticed(upper / stub->path, stub->directory);
  }
  for (auto path = untouched.rbegin(); path != untouched.rend(); ++path) remove_unnoticed(upper / *path, true);
}

}  // namespace ingot::sandbox
