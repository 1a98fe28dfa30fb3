#include "daemon/store/joined_layers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sys/directory_names.h"

namespace ingot::store {

using base::fail_errno;
namespace fs = sys::fs;

namespace {

constexpr const char* kFrom = ".from-";  // in the name of a run: between its last layer and its first
constexpr const char* kOpaque = "trusted.overlay.opaque";

bool is_opaque(int directory) {
  char value = 0;
  return fgetxattr(directory, kOpaque, &value, 1) == 1 && value == 'y';
}

Status copy_attributes(int from, int to, const std::string& path) {
  struct stat status {};
  if (fstat(from, &status) != 0 || fchown(to, status.st_uid, status.st_gid) != 0 ||
      fchmod(to, status.st_mode & 07777U) != 0) {
    return fail_errno(errno, "cannot copy the attributes of " + path);
  }
  std::array<char, 4096> names{};
  const ssize_t size = flistxattr(from, names.data(), names.size());
  if (size < 0 && errno != EOPNOTSUPP) return fail_errno(errno, "cannot list the attributes of " + path);
  for (const auto& name : base::split({names.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))}, '\0')) {
    if (name.empty() || name.starts_with("trusted.overlay.")) continue;
    std::vector<char> value(64U << 10);
    const ssize_t length = fgetxattr(from, name.c_str(), value.data(), value.size());
    if (length < 0 || fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0) != 0) {
      return fail_errno(errno, "cannot copy attribute " + name + " of " + path);
    }
  }
  return {};
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

// One directory as several layers have it, top first and none hidden by another.
struct Directory {
  std::vector<sys::UniqueFd> there;  // of the layers that are joined
  std::vector<sys::UniqueFd> below;  // of those that they stand on, as far as they show through
};
Status join_directory(const Directory& directory, int target, const std::string& path);

// What the layers have under one name of a directory.
struct Name {
  int holder = -1;       // of the topmost
  bool removed = false;  // which says that there is nothing
  Directory directory;   // if that is one: it, and those of lower layers that show through it
  bool closed = false;   // nothing of a lower layer shows any more
  bool hides = false;    // also nothing of those that are not joined here
};

Status look(int holder, const std::string& name, const std::string& path, Name& found) {
  struct stat status {};
  if (fstatat(holder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "cannot look at " + path + "/" + name);
  }
  const bool is_first = found.holder < 0;
  if (is_first) found.holder = holder;
  if (!S_ISDIR(status.st_mode)) {
    found.removed = is_first && is_whiteout(status);
    found.closed = true;
    found.hides = !is_first;  // a directory that took the place of what is no directory
    return {};
  }
  auto& there = found.directory.there;
  there.emplace_back(openat(holder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!there.back()) return fail_errno(errno, "cannot open " + path + "/" + name);
  if (is_opaque(there.back().get())) found.closed = found.hides = true;
  return {};
}

// The directories of that name which show through from below.
std::vector<sys::UniqueFd> shown_below(const std::vector<sys::UniqueFd>& below, const std::string& name) {
  std::vector<sys::UniqueFd> shown;
  for (const auto& directory : below) {
    struct stat status {};
    if (fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(status.st_mode)) break;
    shown.emplace_back(openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (is_opaque(shown.back().get())) break;
  }
  return shown;
}

Status put(const Name& found, const std::string& name, int target, const std::string& path) {
  if (found.directory.there.empty()) {
    // A mark for what is removed is linked like a file.
    if (linkat(found.holder, name.c_str(), target, name.c_str(), 0) == 0) return {};
    return fail_errno(errno, "cannot link " + path + "/" + name);
  }
  if (mkdirat(target, name.c_str(), 0700) != 0) return fail_errno(errno, "cannot make " + path + "/" + name);
  const sys::UniqueFd made(openat(target, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made) return fail_errno(errno, "cannot open " + path + "/" + name);
  if (found.hides && fsetxattr(made.get(), kOpaque, "y", 1, 0) != 0) {
    return fail_errno(errno, "cannot mark " + path + "/" + name);
  }
  return join_directory(found.directory, made.get(), path + "/" + name);
}

Status join_directory(const Directory& directory, int target, const std::string& path) {
  std::map<std::string, Name> names;
  for (const auto& layer : directory.there) {
    INGOT_TRY(auto found, sys::names_in(layer.get(), path));
    for (const auto& name : found) {
      Name& entry = names[name];
      if (!entry.closed) INGOT_CHECK(look(layer.get(), name, path, entry));
    }
  }
  for (auto& [name, found] : names) {
    // Where nothing shows through, overlayfs lists marks for what is removed as if they were files.
    if (found.removed && directory.below.empty()) continue;
    if (!found.hides && !found.directory.there.empty()) found.directory.below = shown_below(directory.below, name);
    INGOT_CHECK(put(found, name, target, path));
  }
  const int top = directory.there.front().get();
  INGOT_CHECK(copy_attributes(top, target, path));
  struct stat status {};
  if (fstat(top, &status) != 0) return fail_errno(errno, "cannot look at " + path);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (futimens(target, times) != 0) return fail_errno(errno, "cannot set the time of " + path);
  return {};
}

// How many layers above the lowest `base` become one each, from below: alone where all are few enough; else in runs of
// one length, which stay the same when there is one layer more, and if need be the rest as one too.
std::vector<std::size_t> run_lengths(std::size_t all, std::size_t base, std::size_t most) {
  const std::size_t above = all - base;
  if (all <= most) return std::vector<std::size_t>(above, 1);
  const std::size_t room = most > base ? most - base : 1;
  std::size_t run = JoinedLayers::kRun;
  while ((above + run - 1) / run > room) run *= 2;
  std::vector<std::size_t> lengths(above / run, run);
  const std::size_t rest = above % run;
  if (lengths.size() + rest <= room)
    lengths.insert(lengths.end(), rest, 1);
  else
    lengths.push_back(rest);
  return lengths;
}

}  // namespace

Status join_layers(const std::vector<fs::path>& layers, const std::vector<fs::path>& below, const fs::path& target) {
  Directory root;
  for (const auto& [paths, fds] : {std::pair{&layers, &root.there}, std::pair{&below, &root.below}}) {
    for (auto layer = paths->rbegin(); layer != paths->rend(); ++layer) {
      INGOT_TRY(auto opened, sys::open_file(*layer, O_RDONLY | O_DIRECTORY));
      fds->push_back(std::move(opened));
    }
  }
  INGOT_TRY(auto to, sys::open_file(target, O_RDONLY | O_DIRECTORY));
  return join_directory(root, to.get(), target.string());
}

Result<std::unique_ptr<JoinedLayers>> JoinedLayers::open(const fs::path& directory, std::shared_ptr<Trash> trash) {
  INGOT_CHECK(trash->take(directory));
  INGOT_CHECK(sys::make_directories(directory, 0711));
  return std::unique_ptr<JoinedLayers>(new JoinedLayers(directory, std::move(trash)));
}

std::vector<fs::path> JoinedLayers::shorten(const std::vector<fs::path>& layers) {
  if (layers.size() < kShort) return layers;
  std::vector<fs::path> fewer;
  std::size_t at = 0;
  for (; at + kRun <= layers.size(); at += kRun) {
    const auto first = layers.begin() + static_cast<std::ptrdiff_t>(at);
    auto one = joined({first, first + kRun}, fewer, (first + kRun - 1)->filename());
    if (!one) {
      // The chain as it is may still be short enough.
      base::log::warning("cannot join layers: {}", one.error().message);
      return layers;
    }
    fewer.push_back(std::move(*one));
  }
  fewer.insert(fewer.end(), layers.begin() + static_cast<std::ptrdiff_t>(at), layers.end());
  return fewer;
}

Result<std::vector<JoinedLayers::Piece>> JoinedLayers::join_above(const std::vector<fs::path>& layers, std::size_t base,
                                                                  const std::vector<std::size_t>& lengths) {
  std::vector<Piece> pieces;
  std::vector<fs::path> below;
  std::size_t at = 0;
  const auto take = [&](std::size_t length) -> Status {
    const std::size_t last = at + length - 1;
    fs::path path = layers[last];
    if (length > 1) {
      const auto first = layers.begin() + static_cast<std::ptrdiff_t>(at);
      // Another run may end with the same layer.
      const std::string name = layers[last].filename().string() + kFrom + layers[at].filename().string();
      INGOT_TRY(path, joined({first, first + static_cast<std::ptrdiff_t>(length)}, below, name));
    }
    below.push_back(path);
    pieces.push_back({std::move(path), at, last});
    at = last + 1;
    return {};
  };
  for (std::size_t i = 0; i < base; ++i) INGOT_CHECK(take(1));
  for (const std::size_t length : lengths) INGOT_CHECK(take(length));
  return pieces;
}

std::vector<JoinedLayers::Piece> JoinedLayers::shorten_above(const std::vector<fs::path>& layers, std::size_t base,
                                                             std::size_t most) {
  auto pieces = join_above(layers, base, run_lengths(layers.size(), base, most));
  if (pieces) return std::move(*pieces);
  base::log::warning("cannot join layers: {}", pieces.error().message);
  std::vector<Piece> all;
  for (std::size_t i = 0; i < layers.size(); ++i) all.push_back({layers[i], i, i});
  return all;
}

Result<fs::path> JoinedLayers::joined(const std::vector<fs::path>& layers, const std::vector<fs::path>& below,
                                      const std::string& name) {
  const fs::path place = directory_ / name;
  std::lock_guard lock(mutex_);
  std::error_code error;
  if (fs::exists(place, error)) return place;
  const fs::path unfinished = place.string() + ".new";
  INGOT_CHECK(trash_->take(unfinished));
  INGOT_CHECK(sys::make_directories(unfinished, 0700));
  INGOT_CHECK(join_layers(layers, below, unfinished));
  if (rename(unfinished.c_str(), place.c_str()) != 0) return fail_errno(errno, "cannot keep " + place.string());
  return place;
}

// What is joined of layers that end with this one. A run that goes on above it is gone already, as those layers are.
Status JoinedLayers::forget(const fs::path& layer) {
  const std::string name = layer.filename();
  INGOT_CHECK(trash_->take(directory_ / name));
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with(name + kFrom)) INGOT_CHECK(trash_->take(entry->path()));
  }
  return {};
}

}  // namespace ingot::store
