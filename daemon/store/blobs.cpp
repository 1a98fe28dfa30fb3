#include "daemon/store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

fs::path blob_path(const fs::path& directory, const base::Digest& digest) {
  const std::string hex = digest.hex();
  return directory / hex.substr(0, 2) / hex;
}

}  // namespace

Result<BlobStore> BlobStore::open(const fs::path& directory, const std::string& boot_id) {
  INGOT_CHECK(sys::remove_tree(directory / "tmp"));
  INGOT_CHECK(sys::make_directories(directory / "tmp", 0750));
  auto drop = [&](const base::Digest& digest) { unlink(blob_path(directory, digest).c_str()); };
  INGOT_TRY(auto marks, UnsyncedMarks::open(directory, boot_id, drop));
  // A writer that was killed before its blob had its name left a mark, which keeps the bytes.
  INGOT_TRY(const auto unsynced, marks.list());
  for (const auto& digest : unsynced) {
    if (access(blob_path(directory, digest).c_str(), F_OK) != 0) INGOT_CHECK(marks.remove(digest));
  }
  return BlobStore(directory, std::move(marks));
}

fs::path BlobStore::path(const base::Digest& digest) const {
  return blob_path(directory_, digest);
}

bool BlobStore::has(const base::Digest& digest) const {
  return access(path(digest).c_str(), F_OK) == 0;
}

Result<BlobWriter> BlobStore::begin(BlobFor whom) const {
  fs::path temporary = directory_ / "tmp" / base::random_id(16);
  INGOT_TRY(auto fd, sys::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0640));
  return BlobWriter(this, whom, std::move(fd), std::move(temporary));
}

Status BlobStore::adopt(const fs::path& file, const base::Digest& digest) const {
  if (find_for_job(digest)) return {};
  const fs::path second_name = directory_ / "tmp" / base::random_id(16);
  INGOT_CHECK(sys::make_directories(path(digest).parent_path(), 0750));
  if (chmod(file.c_str(), 0640) != 0 || link(file.c_str(), second_name.c_str()) != 0) {
    return fail_errno(errno, "cannot keep " + file.string() + " as a blob");
  }
  INGOT_CHECK(marks_.add(second_name, digest));
  INGOT_TRY(bool was_first, ledger_->put(second_name, digest, BlobFor::job));
  if (!was_first) unlink(second_name.c_str());
  return {};
}

Status BlobStore::sync_all() const {
  INGOT_TRY(auto unsynced, marks_.list());
  if (unsynced.empty()) return {};
  INGOT_TRY(auto fd, sys::open_file(directory_, O_RDONLY | O_DIRECTORY));
  if (syncfs(fd.get()) != 0) return fail_errno(errno, "cannot sync the blob store");
  for (const auto& digest : unsynced) INGOT_CHECK(marks_.remove(digest));
  return {};
}

Result<std::vector<RawDigest>> BlobStore::list() const {
  std::vector<RawDigest> found;
  std::error_code error;
  for (fs::directory_iterator part(directory_, error), no_more; !error && part != no_more; part.increment(error)) {
    if (part->path().filename().string().size() != 2) continue;
    for (fs::directory_iterator entry(part->path(), error), end; !error && entry != end; entry.increment(error)) {
      if (auto digest = base::Digest::parse("sha256:" + entry->path().filename().string())) {
        found.push_back(to_raw(*digest));
      }
    }
    if (error) break;
  }
  if (error) return fail_errno(error.value(), "cannot read " + directory_.string());
  return found;
}

bool BlobStore::remove(const base::Digest& digest, std::uint64_t& bytes) const {
  if (!ledger_->remove(digest, bytes)) return false;
  // The mark is a link to the same bytes. One that cannot go costs its bytes until the next start.
  (void)marks_.remove(digest);
  return true;
}

// Another writer made it, who need not have synced it.
Status BlobStore::sync_existing(const base::Digest& digest) const {
  const fs::path blob = path(digest);
  INGOT_TRY(auto fd, sys::open_file(blob, O_RDONLY));
  if (fsync(fd.get()) != 0) return fail_errno(errno, "cannot sync " + blob.string());
  INGOT_CHECK(sys::sync_directory(blob.parent_path()));
  INGOT_CHECK(sys::sync_directory(directory_));
  return marks_.remove(digest);
}

BlobWriter::BlobWriter(const BlobStore* store, BlobFor whom, sys::UniqueFd fd, fs::path temporary)
    : store_(store), whom_(whom), fd_(std::move(fd)), temporary_(std::move(temporary)) {}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : store_(other.store_),
      whom_(other.whom_),
      fd_(std::move(other.fd_)),
      temporary_(std::move(other.temporary_)),
      hasher_(std::move(other.hasher_)),
      checksum_(std::move(other.checksum_)),
      size_(other.size_) {
  other.temporary_.clear();
}

BlobWriter::~BlobWriter() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Status BlobWriter::write(std::string_view bytes) {
  hasher_.update(bytes);
  checksum_.update(bytes);
  size_ += bytes.size();
  return sys::write_all(fd_.get(), bytes);
}

Result<base::Digest> BlobWriter::commit(Durability durability, const base::Digest& expected) {
  auto digest = hasher_.finish();
  if (!expected.empty() && digest != expected) {
    return fail(ErrorKind::invalid, "the bytes have digest " + digest.str() + ", not " + expected.str(),
                "the file changed while it was sent; send it again");
  }
  if (store_->ledger_->find(digest, whom_)) {
    if (durability == Durability::now) INGOT_CHECK(store_->sync_existing(digest));
    return digest;
  }
  const fs::path destination = store_->path(digest);
  INGOT_CHECK(sys::make_directories(destination.parent_path(), 0750));
  if (durability == Durability::now) {
    if (fsync(fd_.get()) != 0) return fail_errno(errno, "cannot sync a blob");
  } else {
    INGOT_CHECK(store_->marks_.add(temporary_, digest));
  }
  INGOT_TRY(bool was_first, store_->ledger_->put(temporary_, digest, whom_));
  if (was_first) temporary_.clear();
  if (durability == Durability::later) return digest;
  if (!was_first) {
    INGOT_CHECK(store_->sync_existing(digest));
    return digest;
  }
  INGOT_CHECK(sys::sync_directory(destination.parent_path()));
  INGOT_CHECK(sys::sync_directory(store_->directory_));  // the destination's directory may be new
  return digest;
}

}  // namespace ingot::store
