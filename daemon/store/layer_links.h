#pragma once

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/store/blobs.h"
#include "daemon/store/copy_target.h"
#include "daemon/store/file_twins.h"
#include "daemon/store/layer_shares.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

namespace fs = std::filesystem;

// Copies of files between stacks of layers that cost no bytes: a layer never changes, so a file that is to be the same
// in all respects can be one more name of the one that is there, and one that is to have other attributes one more name
// of an earlier copy that has them (FileTwins). Links cannot cross mounts, and what lies below a mounted stack must not
// be changed: they are noted while the stacks are mounted, and made when the one that is written is not any more.
class LayerLinks {
 public:
  // `from`: the layers that are copied from, bottom first. `merged` and `upper`: the mounted stack that is written, and
  // its writable layer. Without twins a file that is to have other attributes is copied.
  static Result<LayerLinks> open(const std::vector<fs::path>& from, const fs::path& merged, const fs::path& upper,
                                 const FileTwins* twins);
  // For copies of blobs.
  static Result<LayerLinks> open(const BlobStore& blobs, const fs::path& merged, const fs::path& upper);

  // A directory as the layers have it, the topmost first. Whose files are linked next, all together.
  class Source {
    friend class LayerLinks;
    std::string path_;
    std::vector<std::pair<std::size_t, sys::UniqueFd>> layers_;
  };
  Source source(const std::string& directory) const;

  // Notes that `target` in the directory `holder` of the mounted stack is to be what `name` shows as `shown`, with
  // these attributes; the extended ones are the file's own. False when that cannot be done: then it is to be copied.
  bool note(const Source& source, const std::string& name, const struct stat& shown, const CopyTarget::Holder& holder,
            const std::string& target, const CopyAttributes& attributes);
  // The same of a blob, if it is large enough to be worth it.
  bool note_blob(const base::Digest& blob, const CopyTarget::Holder& holder, const std::string& target,
                 const CopyAttributes& attributes);
  // Once the stack is unmounted. The latest note about a name counts; what was written there after it stays.
  Status make(const sys::CancelToken& cancel);

  // What the writable layer does not have for itself, once all links are made.
  LayerShares shared() const;

 private:
  struct Link {
    std::size_t layer;
    std::string path;  // its directory
    std::string name;
    std::string target;
    struct stat file;
    CopyAttributes attributes;
    base::Digest blob;  // instead of a layer's file
  };
  explicit LayerLinks(const fs::path& merged) : merged_(merged.string()) {}
  std::string holder_path(int holder) const;
  Result<int> directory_of(const Link& link);
  bool note(Link link, const CopyTarget::Holder& holder);
  Status make_one(const Link& link, int holder);
  Status name_blob(const Link& link, int holder);
  Status make_twin(const Link& link, int directory, int holder);

  std::string merged_;
  const FileTwins* twins_ = nullptr;
  const BlobStore* blobs_ = nullptr;
  std::vector<fs::path> names_;         // of the layers
  std::vector<sys::RootedDir> layers_;  // bottom first
  std::vector<sys::UniqueFd> twin_directories_;
  std::vector<sys::RootedDir> upper_;               // the one
  std::map<std::string, std::vector<Link>> links_;  // by their directory in the writable layer
  std::set<ino_t> linked_;
  std::map<std::size_t, std::uint64_t> linked_bytes_;
  std::map<std::string, SharedFile> blobs_named_;
  std::map<std::size_t, std::uint64_t> twin_bytes_;
  std::set<std::size_t> made_twins_;
  // The last ones, which are asked for again and again.
  std::string last_holder_name_;
  std::string last_holder_;
  std::size_t last_layer_ = 0;
  std::string last_path_;
  sys::UniqueFd last_directory_;
};

}  // namespace ingot::store
