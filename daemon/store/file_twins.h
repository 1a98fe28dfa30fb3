#pragma once

#include <sys/stat.h>

#include <string>

#include "daemon/base/result.h"
#include "daemon/store/copy_target.h"
#include "daemon/sys/files.h"

namespace ingot::store {

// A file of a layer as copies of it look: the same bytes under another owner, mode or time. An inode has only one of
// each, so the first copy costs bytes; it gets a second name here, and is itself what later copies become names of.
// Layout: <boot id>/<layer>/<inode and attributes>. Those of an earlier boot give no copies, since the disk may not
// have all of one; they stay as long as a layer has the file. Thread-safe.
class FileTwins {
 public:
  static Result<FileTwins> open(const sys::fs::path& directory, const std::string& boot);

  // Where those of a layer's files are; made when it is not there.
  Result<sys::UniqueFd> of(const sys::fs::path& layer) const;
  static std::string name_of(const struct stat& file, const CopyAttributes& attributes);

  // Removes those that no layer has any more.
  void remove_unused() const;

 private:
  FileTwins(sys::fs::path directory, std::string boot) : directory_(std::move(directory)), boot_(std::move(boot)) {}
  sys::fs::path directory_;
  std::string boot_;
};

}  // namespace ingot::store
