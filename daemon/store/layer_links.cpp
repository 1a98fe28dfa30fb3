#include "daemon/store/layer_links.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <set>

namespace ingot::store {

using base::fail_errno;

namespace {

// With more, looking for a file in one after another costs more than copying most of them.
constexpr std::size_t kMostLayers = 32;

// File systems bound the names of a file; ext4 at 65,000.
constexpr nlink_t kMostNames = 60'000;

std::string path_of(int fd) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text.data(), text.size());
  return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

// What unlink leaves in a writable layer for a name that a lower one has.
bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

}  // namespace

Result<LayerLinks> LayerLinks::open(const std::vector<fs::path>& from, const fs::path& merged, const fs::path& upper) {
  LayerLinks links(merged);
  INGOT_TRY(auto writable, sys::RootedDir::open(upper));
  links.upper_.push_back(std::move(writable));
  if (from.size() > kMostLayers) return links;
  for (const auto& layer : from) {
    INGOT_TRY(auto opened, sys::RootedDir::open(layer));
    links.layers_.push_back(std::move(opened));
  }
  return links;
}

// The directory as the writable layer has it; "" when it has it not, and for what is none of the stack's.
std::string LayerLinks::holder_path(int holder) const {
  const std::string path = path_of(holder);
  if (path != merged_ && !path.starts_with(merged_ + "/")) return {};
  const std::string inside = path == merged_ ? "/" : path.substr(merged_.size());
  return upper_.front().exists(inside) ? inside : std::string();
}

bool LayerLinks::note(const std::string& path, const struct stat& shown, int holder, const std::string& name) {
  if (shown.st_nlink >= kMostNames) return false;
  for (std::size_t layer = layers_.size(); layer-- > 0;) {
    const auto status = layers_[layer].status(path, false);
    if (!status) continue;
    // The stack shows a file under its own number; anything else is another's, or hidden.
    if (status->st_ino != shown.st_ino || !S_ISREG(status->st_mode)) return false;
    const std::string place = holder_path(holder);
    if (place.empty()) return false;
    links_.push_back({layer, path, place, name});
    return true;
  }
  return false;
}

Status LayerLinks::make() const {
  std::map<std::string, std::vector<const Link*>> by_holder;
  for (const auto& link : links_) by_holder[link.holder].push_back(&link);
  for (const auto& [path, links] : by_holder) {
    INGOT_TRY(auto holder, upper_.front().open_path(path, O_RDONLY | O_DIRECTORY));
    struct stat before {};
    if (fstat(holder.get(), &before) != 0) return fail_errno(errno, "COPY: cannot look at " + path);
    std::set<std::string> done;
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
      if (done.insert((*link)->name).second) INGOT_CHECK(make_one(**link, holder));
    }
    const timespec times[2] = {before.st_atim, before.st_mtim};
    if (futimens(holder.get(), times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + path);
  }
  return {};
}

Status LayerLinks::make_one(const Link& link, const sys::UniqueFd& holder) const {
  INGOT_TRY(auto file, layers_[link.layer].open_path(link.path, O_PATH | O_NOFOLLOW));
  const char* name = link.name.c_str();
  if (linkat(file.get(), "", holder.get(), name, AT_EMPTY_PATH) == 0) return {};
  struct stat there {};
  if (errno == EEXIST && fstatat(holder.get(), name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!is_whiteout(there)) return {};
    if (unlinkat(holder.get(), name, 0) == 0 && linkat(file.get(), "", holder.get(), name, AT_EMPTY_PATH) == 0)
      return {};
  }
  return fail_errno(errno, "COPY: cannot make " + (link.holder == "/" ? "" : link.holder) + "/" + link.name);
}

}  // namespace ingot::store
