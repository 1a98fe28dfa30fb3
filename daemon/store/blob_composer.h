#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/composed_blobs.h"
#include "daemon/store/shared_file.h"
#include "daemon/store/tar_writer.h"
#include "daemon/sys/cancel.h"

namespace ingot::store {

// Takes a tar in, and keeps it as a composed blob: its large files are, or become, blobs under a second name, and all
// that stands between them is one blob more. No byte of a large file is written.
class BlobComposer : public TarSink {
 public:
  using FileId = std::pair<dev_t, ino_t>;
  struct Files {
    std::map<FileId, base::Digest> known;  // of those that are blobs already
    // Who counts a file that becomes a blob. Without it none does.
    std::function<CountsAsBlob(const base::Digest& digest, const SharedFile& file)> counts;
  };
  static Result<std::unique_ptr<BlobComposer>> begin(const BlobStore& blobs, Files files, sys::CancelToken cancel);

  Status write(std::string_view bytes) override;
  void file_begins(int file, const struct stat& status) override;
  Status file_ends() override;

  struct Composed {
    base::Digest digest;
    std::uint64_t size = 0;
    std::vector<ComposedBlobs::Part> parts;
  };
  Result<Composed> finish();

 private:
  BlobComposer(const BlobStore& blobs, Files files, sys::CancelToken cancel, BlobWriter between)
      : blobs_(blobs), files_(std::move(files)), cancel_(std::move(cancel)), between_(std::move(between)) {}
  struct LargeFile {
    int fd;
    SharedFile shared;
    std::uint64_t size = 0;
    base::Digest digest;  // when it is known
    base::Hasher hasher;  // else
  };
  Status flush();
  Status adopt(const LargeFile& file);

  const BlobStore& blobs_;
  Files files_;
  const sys::CancelToken cancel_;
  BlobWriter between_;  // headers and small files
  std::string held_;    // of them, to be written
  base::Hasher whole_;
  Composed composed_;
  std::unique_ptr<LargeFile> file_;  // whose content is written now
};

}  // namespace ingot::store
