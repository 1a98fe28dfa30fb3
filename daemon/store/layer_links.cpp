#include "daemon/store/layer_links.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

#include "daemon/store/tree_attributes.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

// With more, looking for a file in one after another costs more than copying most of them.
constexpr std::size_t kMostLayers = 32;

std::string path_of(int fd) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text.data(), text.size());
  return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

// What unlink leaves in a writable layer for a name that a lower one has.
bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

bool is_so_already(const struct stat& file, const CopyAttributes& wanted) {
  return file.st_uid == wanted.uid && file.st_gid == wanted.gid && (file.st_mode & 07777U) == wanted.mode &&
         file.st_mtim.tv_sec == wanted.time.tv_sec && file.st_mtim.tv_nsec == wanted.time.tv_nsec;
}

// Whether the name is free, or became so: a whiteout makes room. Anything else was written there later, and stays.
bool make_room(int holder, const std::string& name) {
  struct stat there {};
  if (fstatat(holder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  return is_whiteout(there) && unlinkat(holder, name.c_str(), 0) == 0;
}

std::uint64_t bytes_of(const struct stat& file) {
  return static_cast<std::uint64_t>(file.st_blocks) * 512;
}

enum class Named { yes, no /* something stands there that stays */, is_not_there, cannot_have_more };

// One more name for a file.
Result<Named> give_name(int directory, const std::string& name, int holder, const std::string& target) {
  while (linkat(directory, name.c_str(), holder, target.c_str(), 0) != 0) {
    switch (errno) {
      case EEXIST:
        if (!make_room(holder, target)) return Named::no;
        continue;
      case ENOENT:
        return Named::is_not_there;
      case EMLINK:
        return Named::cannot_have_more;
      default:
        return fail_errno(errno, "cannot link it");
    }
  }
  return Named::yes;
}

Status copy_file(int directory, const std::string& name, const struct stat& file, CopyAttributes attributes, int holder,
                 const std::string& target) {
  if (!make_room(holder, target)) return {};
  const sys::UniqueFd from(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!from) return fail_errno(errno, "cannot open it");
  const sys::UniqueFd to(openat(holder, target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return fail_errno(errno, "cannot make it");
  INGOT_TRY(attributes.extended, attributes_to_copy(from.get(), name));
  INGOT_CHECK(sys::copy_content(from.get(), to.get(), static_cast<std::uint64_t>(file.st_size), "cannot copy it"));
  return set_attributes(to.get(), attributes, target);
}

}  // namespace

Result<LayerLinks> LayerLinks::open(const std::vector<fs::path>& from, const fs::path& merged, const fs::path& upper,
                                    const FileTwins* twins) {
  LayerLinks links(merged);
  INGOT_TRY(auto writable, sys::RootedDir::open(upper));
  links.upper_.push_back(std::move(writable));
  if (from.size() > kMostLayers) return links;
  links.twins_ = twins;
  links.names_ = from;
  for (const auto& layer : from) {
    INGOT_TRY(auto opened, sys::RootedDir::open(layer));
    links.layers_.push_back(std::move(opened));
  }
  links.twin_directories_.resize(from.size());
  return links;
}

Result<LayerLinks> LayerLinks::open(const BlobStore& blobs, const fs::path& merged, const fs::path& upper) {
  INGOT_TRY(auto links, open(std::vector<fs::path>{}, merged, upper, nullptr));
  links.blobs_ = &blobs;
  return links;
}

LayerLinks::Source LayerLinks::source(const std::string& directory) const {
  Source source;
  source.path_ = directory;
  for (std::size_t layer = layers_.size(); layer-- > 0;) {
    auto fd = layers_[layer].open_path(directory, O_PATH | O_DIRECTORY);
    if (fd) source.layers_.emplace_back(layer, std::move(*fd));
  }
  return source;
}

// The directory as the writable layer has it; "" when it has it not, and for what is none of the stack's.
std::string LayerLinks::holder_path(int holder) const {
  const std::string path = path_of(holder);
  if (path != merged_ && !path.starts_with(merged_ + "/")) return {};
  const std::string inside = path == merged_ ? "/" : path.substr(merged_.size());
  return upper_.front().exists(inside) ? inside : std::string();
}

bool LayerLinks::note(const Source& source, const std::string& name, const struct stat& shown,
                      const CopyTarget::Holder& holder, const std::string& target, const CopyAttributes& attributes) {
  if (!is_so_already(shown, attributes) && twins_ == nullptr) return false;
  for (const auto& [layer, directory] : source.layers_) {
    struct stat file {};
    if (fstatat(directory.get(), name.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) continue;
    // The stack shows a file under its own number; anything else is another's, or hidden.
    if (file.st_ino != shown.st_ino || !S_ISREG(file.st_mode)) return false;
    return note({layer, source.path_, name, target, file, attributes, {}}, holder);
  }
  return false;
}

bool LayerLinks::note_blob(const base::Digest& blob, const CopyTarget::Holder& holder, const std::string& target,
                           const CopyAttributes& attributes) {
  constexpr off_t kWorthIt = 1 << 20;
  struct stat file {};
  const fs::path path = blobs_->path(blob);
  if (lstat(path.c_str(), &file) != 0 || file.st_size < kWorthIt) return false;
  return note({0, {}, path.string(), target, file, attributes, blob}, holder);
}

bool LayerLinks::note(Link link, const CopyTarget::Holder& holder) {
  if (last_holder_.empty() || last_holder_name_ != holder.path) {
    last_holder_ = holder_path(holder.fd);
    last_holder_name_ = holder.path;
  }
  if (last_holder_.empty()) return false;
  links_[last_holder_].push_back(std::move(link));
  return true;
}

Status LayerLinks::make(const sys::CancelToken& cancel) {
  for (const auto& [path, links] : links_) {
    if (cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    INGOT_TRY(auto holder, upper_.front().open_path(path, O_RDONLY | O_DIRECTORY));
    struct stat before {};
    if (fstat(holder.get(), &before) != 0) return fail_errno(errno, "COPY: cannot look at " + path);
    std::set<std::string> done;
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
      if (!done.insert(link->target).second) continue;
      if (auto made = make_one(*link, holder.get()); !made) {
        return fail(base::with_context(made.error(), "COPY to " + (path == "/" ? "" : path) + "/" + link->target));
      }
    }
    const timespec times[2] = {before.st_atim, before.st_mtim};
    if (futimens(holder.get(), times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + path);
  }
  return {};
}

Result<int> LayerLinks::directory_of(const Link& link) {
  if (!last_directory_ || last_layer_ != link.layer || last_path_ != link.path) {
    INGOT_TRY(last_directory_, layers_[link.layer].open_path(link.path, O_PATH | O_DIRECTORY));
    last_layer_ = link.layer;
    last_path_ = link.path;
  }
  return last_directory_.get();
}

Status LayerLinks::make_one(const Link& link, int holder) {
  if (!link.blob.empty()) return name_blob(link, holder);
  INGOT_TRY(int directory, directory_of(link));
  if (!is_so_already(link.file, link.attributes)) return make_twin(link, directory, holder);
  INGOT_TRY(auto named, give_name(directory, link.name, holder, link.target));
  if (named == Named::is_not_there) {
    return fail(ErrorKind::not_found, link.name + " is gone from layer " + names_[link.layer].string());
  }
  if (named == Named::cannot_have_more) {
    return copy_file(directory, link.name, link.file, link.attributes, holder, link.target);
  }
  if (named == Named::yes && linked_.insert(link.file.st_ino).second) linked_bytes_[link.layer] += bytes_of(link.file);
  return {};
}

Status LayerLinks::name_blob(const Link& link, int holder) {
  if (!make_room(holder, link.target)) return {};
  const CopyAttributes& wanted = link.attributes;
  INGOT_TRY(bool named,
            blobs_->give_name(link.blob, {wanted.uid, wanted.gid, wanted.mode, wanted.time}, holder, link.target));
  if (!named) return copy_file(AT_FDCWD, link.name, link.file, wanted, holder, link.target);
  blobs_named_[link.blob.str()] = SharedFile::of(link.file);
  return {};
}

Status LayerLinks::make_twin(const Link& link, int directory, int holder) {
  auto& twins = twin_directories_[link.layer];
  if (!twins) {
    INGOT_TRY(twins, twins_->of(names_[link.layer]));
  }
  const std::string twin = FileTwins::name_of(link.file, link.attributes);
  INGOT_TRY(auto named, give_name(twins.get(), twin, holder, link.target));
  // A twin is known by what it is one of.
  const bool first_here = named != Named::no && linked_.insert(link.file.st_ino).second;
  if (named == Named::yes && first_here) twin_bytes_[link.layer] += bytes_of(link.file);
  if (named == Named::yes || named == Named::no) return {};
  INGOT_CHECK(copy_file(directory, link.name, link.file, link.attributes, holder, link.target));
  // What cannot become a twin is a copy that nobody finds again.
  if (linkat(holder, link.target.c_str(), twins.get(), twin.c_str(), 0) == 0) made_twins_.insert(link.layer);
  return {};
}

LayerShares LayerLinks::shared() const {
  LayerShares shares;
  const auto id = [&](std::size_t layer) { return std::stoll(names_[layer].filename()); };
  for (const auto& [layer, bytes] : linked_bytes_) shares.with_layers[id(layer)] += bytes;
  for (const auto& [layer, bytes] : twin_bytes_) shares.with_twins_of[id(layer)] += bytes;
  shares.with_blobs = blobs_named_;
  for (std::size_t layer : made_twins_) shares.made_twins_of.insert(id(layer));
  return shares;
}

}  // namespace ingot::store
