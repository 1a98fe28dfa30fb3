#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/checksum.h"
#include "daemon/base/digest.h"
#include "daemon/store/blob_ledger.h"
#include "daemon/store/unsynced_marks.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

enum class Durability {
  now,    // fsynced before commit returns
  later,  // by the next BlobStore::sync_all: for many small files
};

class BlobWriter;

// Who counts a file that is to become a blob. It is told before: what it has written down of a blob that is not there
// can be found when a daemon starts, a blob of which it has written nothing down cannot.
struct CountsAsBlob {
  std::function<Result<bool>()> begins = nullptr;  // whether it counted the file itself until now
  std::function<Status()> ends = nullptr;          // it did not become one
};

// Immutable files named by their SHA-256: contexts' files and artifacts. Layout: blobs/<first 2 hex>/<hex>.
// Thread-safe.
class BlobStore {
 public:
  // Removes what writers left behind at a crash, and what a power cut may have damaged.
  static Result<BlobStore> open(const fs::path& directory, const std::string& boot_id = current_boot_id());

  const fs::path& directory() const { return directory_; }
  bool has(const base::Digest& digest) const;
  fs::path path(const base::Digest& digest) const;
  Result<BlobWriter> begin(BlobFor whom = BlobFor::job) const;
  // An open file of the same file system, whose bytes were held against the digest, is a blob too from now on, under a
  // second name. Nobody may write to it any more: kind `conflict` for one that others could, and for one that gives
  // rights to who executes it.
  Status adopt(int file, const base::Digest& digest, Durability durability, const CountsAsBlob& counts = {}) const;
  // Whether it is there, for a job that will refer to it.
  bool find_for_job(const base::Digest& digest) const { return ledger_->find(digest, BlobFor::job).has_value(); }
  // The size of one that is there, for a client that will refer to it: it stays for the upload's grace.
  std::optional<std::uint64_t> find_for_upload(const base::Digest& digest) const {
    return ledger_->find(digest, BlobFor::upload);
  }
  // What a file is besides its bytes.
  struct Shape {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    timespec time;
  };
  // Gives the blob's file one more name, `name` in the open directory `holder`, where it is to have this shape. False
  // when it cannot: a file has one shape for all of its names, and a blob is handed out to others.
  Result<bool> give_name(const base::Digest& digest, const Shape& shape, int holder, const std::string& name) const;
  Status sync_all() const;  // costs nothing when nothing is unsynced

  // Every blob: for who looks at all of them.
  Result<std::vector<RawDigest>> list() const;
  // False when somebody wants it, or it is gone; else `bytes` are free. Only for what nothing refers to.
  bool remove(const base::Digest& digest, std::uint64_t& bytes) const;
  BlobLedger& ledger() const { return *ledger_; }

 private:
  friend class BlobWriter;
  BlobStore(fs::path directory, UnsyncedMarks marks)
      : directory_(std::move(directory)), marks_(std::move(marks)), ledger_(std::make_shared<BlobLedger>(directory_)) {}
  Status give_blob_name(int file, const base::Digest& digest, const CountsAsBlob& counts) const;
  Status sync_existing(const base::Digest& digest) const;
  Status sync_each(const std::vector<base::Digest>& digests) const;

  fs::path directory_;
  UnsyncedMarks marks_;
  std::shared_ptr<BlobLedger> ledger_;
  std::shared_ptr<std::mutex> shaping_ = std::make_shared<std::mutex>();   // one shape is given at a time
  std::shared_ptr<std::mutex> adopting_ = std::make_shared<std::mutex>();  // one file becomes a blob at a time
};

// Hashes while it writes; without commit() nothing stays.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter();

  Status write(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  std::string checksum() const { return checksum_.finish(); }  // of what was written so far
  // With `expected` set, other content is refused with kind `invalid`.
  Result<base::Digest> commit(Durability durability, const base::Digest& expected = {});

 private:
  friend class BlobStore;
  BlobWriter(const BlobStore* store, BlobFor whom, sys::UniqueFd fd, fs::path temporary);
  const BlobStore* store_;
  BlobFor whom_;
  sys::UniqueFd fd_;
  fs::path temporary_;
  base::Hasher hasher_;
  base::Checksum checksum_;
  std::uint64_t size_ = 0;
};

}  // namespace ingot::store
