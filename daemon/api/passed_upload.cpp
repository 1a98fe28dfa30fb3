#include "daemon/api/passed_upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "daemon/base/strings.h"

namespace ingot::api {

namespace {

using base::fail;
using base::fail_errno;

tl::unexpected<Error> changed() {
  return fail(ErrorKind::invalid, "the file changed while it was sent", "send it again");
}

Status check_kind(const PassedUpload& upload) {
  const int flags = fcntl(upload.file.get(), F_GETFL);
  const bool readable = flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_WRONLY;
  struct stat status {};
  if (fstat(upload.file.get(), &status) != 0) return fail_errno(errno, "cannot look at the file of the descriptor");
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid, "the descriptor is not that of a regular file", "send its bytes as the body");
  }
  if (!readable) {
    return fail(ErrorKind::invalid, "the descriptor is not open for reading", "open the file with O_RDONLY");
  }
  if (static_cast<std::uint64_t>(status.st_size) != upload.size) return changed();
  return {};
}

Status copy(PassedUpload& upload, store::BlobWriter& blob) {
  constexpr std::size_t kPart = 256 << 10;  // stays in the processor's cache between reading and writing
  thread_local std::vector<char> part(kPart);
  // From its beginning, wherever the client's own place in it is; and never further than was said, since a file of the
  // kernel's may have no end.
  while (blob.size() < upload.size) {
    if (upload.gone) return fail(ErrorKind::canceled, "the client is gone");
    const auto wanted = std::min<std::uint64_t>(part.size(), upload.size - blob.size());
    const ssize_t got = pread(upload.file.get(), part.data(), wanted, static_cast<off_t>(blob.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read the file of the descriptor");
    if (got == 0) return changed();
    INGOT_CHECK(blob.write({part.data(), static_cast<std::size_t>(got)}));
  }
  return {};
}

Status copy_to_blob(const store::BlobStore& blobs, PassedUpload& upload) {
  INGOT_CHECK(check_kind(upload));
  INGOT_TRY(auto blob, blobs.begin(store::BlobFor::upload));
  INGOT_CHECK(copy(upload, blob));
  INGOT_CHECK(blob.commit(store::Durability::later, upload.digest));
  return {};
}

}  // namespace

Result<std::shared_ptr<PassedUpload>> passed_upload(const Request& request, PassedIn& passed, std::uint64_t limit) {
  auto upload = std::make_shared<PassedUpload>();
  INGOT_TRY(upload->digest, base::Digest::parse(request.path_values.at("digest")));
  const std::string size = request.header("ingot-descriptor");
  const auto [end, bad] = std::from_chars(size.data(), size.data() + size.size(), upload->size);
  if (bad != std::errc() || end != size.data() + size.size()) {
    return fail(ErrorKind::invalid, "the header Ingot-Descriptor says \"" + base::printable(size.substr(0, 100)) + "\"",
                "it says how many bytes the file has");
  }
  if (upload->size > limit) {
    return fail(ErrorKind::too_large, "a file of a context may have " + base::human_bytes(limit));
  }
  if (passed.files.empty()) {
    return fail(ErrorKind::unsupported, "no descriptor came with the request",
                "it goes with the head's first byte, on the Unix socket itself; else send the bytes as the body");
  }
  if (passed.files.size() > 1) {
    return fail(ErrorKind::invalid, "more than one descriptor came with the request", "send one file a request");
  }
  upload->file = std::move(passed.files.front());
  passed.files.clear();
  return upload;
}

Status keep(const store::BlobStore& blobs, PassedUpload& upload) {
  const auto known = blobs.find_for_upload(upload.digest);
  auto kept = known == upload.size ? Status() : copy_to_blob(blobs, upload);
  upload.file.reset();
  return kept;
}

}  // namespace ingot::api
