#include "daemon/store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sys/writeback.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

fs::path blob_path(const fs::path& directory, const base::Digest& digest) {
  const std::string hex = digest.hex();
  return directory / hex.substr(0, 2) / hex;
}

// Who is handed a blob's descriptor could open it once more, to write, or execute it.
bool is_safe_to_hand_out(uid_t owner, mode_t mode) {
  return owner == geteuid() && (mode & (S_IWGRP | S_IWOTH | S_ISUID | S_ISGID)) == 0;
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

Status BlobStore::adopt(int file, const base::Digest& digest, Durability durability, const CountsAsBlob& counts) const {
  struct stat status {};
  if (fstat(file, &status) != 0) return fail_errno(errno, "cannot look at what is to be a blob");
  const bool has_capabilities = fgetxattr(file, "security.capability", nullptr, 0) > 0;
  if (!is_safe_to_hand_out(status.st_uid, status.st_mode) || has_capabilities) {
    return fail(ErrorKind::conflict, "others may write to it, or get rights by it");
  }
  INGOT_CHECK(give_blob_name(file, digest, counts));
  return durability == Durability::now ? sync_existing(digest) : Status();
}

// One after the other: of equal files that are to become a blob at the same time only the one that does counts as it.
Status BlobStore::give_blob_name(int file, const base::Digest& digest, const CountsAsBlob& counts) const {
  std::lock_guard lock(*adopting_);
  if (find_for_job(digest)) return {};
  const fs::path second_name = directory_ / "tmp" / base::random_id(16);
  INGOT_CHECK(sys::make_directories(path(digest).parent_path(), 0750));
  const auto put = [&]() -> Result<bool> {
    const std::string open_file = "/proc/self/fd/" + std::to_string(file);
    if (linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, second_name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return fail_errno(errno, "cannot give " + sys::name_of(file) + " a second name as a blob");
    }
    INGOT_CHECK(marks_.add(second_name, digest));
    return ledger_->put(second_name, digest, BlobFor::job);
  };
  bool changes_counts = false;
  if (counts.begins) {
    INGOT_TRY(changes_counts, counts.begins());
  }
  const auto was_first = put();
  if (was_first && *was_first) return {};
  unlink(second_name.c_str());
  const Status ended = changes_counts ? counts.ends() : Status();
  if (!ended) base::log::warning("a layer counts {} as a blob that it is not: {}", digest.str(), ended.error().message);
  return was_first ? Status() : fail(was_first.error());
}

Result<bool> BlobStore::give_name(const base::Digest& digest, const Shape& shape, int holder,
                                  const std::string& name) const {
  if (!is_safe_to_hand_out(shape.uid, shape.mode)) return false;
  const fs::path blob = path(digest);
  std::lock_guard lock(*shaping_);
  INGOT_TRY(auto fd, sys::open_file(blob, O_RDONLY));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return fail_errno(errno, "cannot look at " + blob.string());
  const bool has_shape = status.st_uid == shape.uid && status.st_gid == shape.gid &&
                         (status.st_mode & 07777U) == shape.mode && status.st_mtim.tv_sec == shape.time.tv_sec &&
                         status.st_mtim.tv_nsec == shape.time.tv_nsec;
  if (!has_shape) {
    if (status.st_nlink > 1) return false;
    const timespec times[2] = {shape.time, shape.time};
    if (fchown(fd.get(), shape.uid, shape.gid) != 0 || fchmod(fd.get(), shape.mode) != 0 ||
        futimens(fd.get(), times) != 0) {
      return fail_errno(errno, "cannot set owner, mode and time of " + blob.string());
    }
  }
  if (linkat(AT_FDCWD, blob.c_str(), holder, name.c_str(), 0) == 0) return true;
  if (errno == EMLINK || errno == EXDEV) return false;
  return fail_errno(errno, "cannot give " + blob.string() + " a second name");
}

Status BlobStore::sync_all() const {
  INGOT_TRY(auto unsynced, marks_.list());
  if (unsynced.empty()) return {};
  // Syncing a file system writes what everybody else has in the cache, too.
  constexpr std::size_t kFew = 256;
  if (unsynced.size() <= kFew) return sync_each(unsynced);
  INGOT_TRY(auto fd, sys::open_file(directory_, O_RDONLY | O_DIRECTORY));
  if (syncfs(fd.get()) != 0) return fail_errno(errno, "cannot sync the blob store");
  for (const auto& digest : unsynced) INGOT_CHECK(marks_.remove(digest));
  return {};
}

Status BlobStore::sync_each(const std::vector<base::Digest>& digests) const {
  std::vector<std::pair<base::Digest, sys::UniqueFd>> files;
  for (const auto& digest : digests) {
    auto fd = sys::open_file(path(digest), O_RDONLY);
    if (!fd) continue;  // removed meanwhile
    sys::start_writeback(fd->get());
    files.emplace_back(digest, std::move(*fd));
  }
  std::set<fs::path> directories{directory_};
  for (const auto& [digest, fd] : files) {
    if (fsync(fd.get()) != 0) return fail_errno(errno, "cannot sync blob " + digest.str());
    directories.insert(path(digest).parent_path());
  }
  for (const auto& directory : directories) INGOT_CHECK(sys::sync_directory(directory));
  for (const auto& digest : digests) INGOT_CHECK(marks_.remove(digest));
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
  INGOT_CHECK(sys::write_all(fd_.get(), bytes));
  // The disk is at work while the rest arrives, and has little left to do at the end.
  constexpr std::uint64_t kStep = 16U << 20;
  if (size_ / kStep != (size_ + bytes.size()) / kStep) sys::start_writeback(fd_.get());
  size_ += bytes.size();
  return {};
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
    sys::start_writeback(fd_.get());
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
