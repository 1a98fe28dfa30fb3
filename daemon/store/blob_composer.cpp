#include "daemon/store/blob_composer.h"

#include <unistd.h>

#include <cerrno>

#include "daemon/sys/file_bytes.h"

namespace ingot::store {

namespace {

constexpr off_t kLarge = 1 << 20;             // smaller files are not worth a name and a row
constexpr std::size_t kHeldBytes = 1U << 20;  // headers come in pieces of 512 bytes

}  // namespace

Result<std::unique_ptr<BlobComposer>> BlobComposer::begin(const BlobStore& blobs, Files files,
                                                          sys::CancelToken cancel) {
  INGOT_TRY(auto between, blobs.begin());
  return std::unique_ptr<BlobComposer>(
      new BlobComposer(blobs, std::move(files), std::move(cancel), std::move(between)));
}

void BlobComposer::file_begins(int file, const struct stat& status) {
  if (status.st_size < kLarge || !files_.counts) return;
  file_ = std::make_unique<LargeFile>(LargeFile{file, SharedFile::of(status), 0, {}, {}});
  const auto known = files_.known.find({status.st_dev, status.st_ino});
  if (known != files_.known.end() && blobs_.find_for_job(known->second)) file_->digest = known->second;
}

Status BlobComposer::write(std::string_view bytes) {
  if (cancel_.canceled()) return base::fail(ErrorKind::canceled, "canceled");
  whole_.update(bytes);
  composed_.size += bytes.size();
  if (file_ != nullptr) {
    if (file_->digest.empty()) file_->hasher.update(bytes);
    file_->size += bytes.size();
    return {};
  }
  if (composed_.parts.empty() || !composed_.parts.back().blob.empty()) {
    composed_.parts.push_back({{}, between_.size() + held_.size(), 0});  // of what will have its digest at the end
  }
  composed_.parts.back().size += bytes.size();
  held_.append(bytes);
  return held_.size() < kHeldBytes ? Status() : flush();
}

Status BlobComposer::flush() {
  INGOT_CHECK(between_.write(held_));
  held_.clear();
  return {};
}

Status BlobComposer::file_ends() {
  if (file_ == nullptr) return {};
  const auto file = std::move(file_);
  if (file->digest.empty()) {
    file->digest = file->hasher.finish();
    INGOT_CHECK(adopt(*file));
  }
  composed_.parts.push_back({file->digest, 0, file->size});
  return {};
}

// A file that cannot have a second name, or must not, is copied.
Status BlobComposer::adopt(const LargeFile& file) {
  if (blobs_.adopt(file.fd, file.digest, Durability::now, files_.counts(file.digest, file.shared))) return {};
  if (lseek(file.fd, 0, SEEK_SET) != 0) return base::fail_errno(errno, "cannot read a file of a layer again");
  INGOT_TRY(auto copy, blobs_.begin());
  INGOT_CHECK(sys::read_bytes(file.fd, "cannot read a file of a layer",
                              [&](std::string_view bytes) { return copy.write(bytes); }));
  INGOT_CHECK(copy.commit(Durability::now, file.digest));
  return {};
}

Result<BlobComposer::Composed> BlobComposer::finish() {
  INGOT_CHECK(flush());
  INGOT_TRY(const auto between, between_.commit(Durability::now));
  for (auto& part : composed_.parts) {
    if (part.blob.empty()) part.blob = between;
  }
  composed_.digest = whole_.finish();
  return std::move(composed_);
}

}  // namespace ingot::store
