#include "daemon/store/composed_blobs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/sys/file_bytes.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

Status read_part(int fd, const ComposedBlobs::Part& part, const std::function<Status(std::string_view)>& sink) {
  std::vector<char> buffer(1U << 20);
  std::uint64_t at = part.offset;
  const std::uint64_t end = part.offset + part.size;
  while (at < end) {
    const ssize_t got =
        pread(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), end - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read blob " + part.blob.str());
    if (got == 0)
      return fail(ErrorKind::internal, "blob " + part.blob.str() + " is shorter than it was", "ingotd --fsck");
    INGOT_CHECK(sink({buffer.data(), static_cast<std::size_t>(got)}));
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace

Status ComposedBlobs::record(db::Database& database, const base::Digest& digest, const std::vector<Part>& parts) {
  INGOT_TRY(auto known, database.prepare("SELECT 1 FROM composed_blobs WHERE digest = ?"));
  INGOT_TRY(bool is_known, known.bind(1, digest.str()).step());
  if (is_known) return known.run();
  std::uint64_t size = 0;
  for (const auto& part : parts) size += part.size;
  INGOT_TRY(auto row, database.prepare("INSERT INTO composed_blobs (digest, size) VALUES (?, ?)"));
  INGOT_CHECK(row.bind(1, digest.str()).bind(2, static_cast<std::int64_t>(size)).run());
  std::int64_t number = 0;
  for (const auto& part : parts) {
    INGOT_TRY(auto insertion, database.prepare("INSERT INTO blob_parts (composed, number, blob, offset, size) "
                                               "VALUES (?, ?, ?, ?, ?)"));
    insertion.bind(1, digest.str()).bind(2, number++).bind(3, part.blob.str());
    insertion.bind(4, static_cast<std::int64_t>(part.offset)).bind(5, static_cast<std::int64_t>(part.size));
    INGOT_CHECK(insertion.run());
  }
  return {};
}

Result<std::vector<ComposedBlobs::Part>> ComposedBlobs::parts(const base::Digest& digest) const {
  std::vector<Part> found;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT blob, offset, size FROM blob_parts WHERE composed = ? ORDER BY number"));
    query.bind(1, digest.str());
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      Part part;
      INGOT_TRY(part.blob, base::Digest::parse(query.text(0)));
      part.offset = static_cast<std::uint64_t>(query.number(1));
      part.size = static_cast<std::uint64_t>(query.number(2));
      found.push_back(std::move(part));
    }
  }));
  return found;
}

Result<std::optional<std::uint64_t>> ComposedBlobs::size(const base::Digest& digest) const {
  INGOT_TRY(const auto list, parts(digest));
  std::uint64_t size = 0;
  for (const auto& part : list) {
    if (!blobs_.has(part.blob)) return std::optional<std::uint64_t>();
    size += part.size;
  }
  return list.empty() ? std::nullopt : std::optional(size);
}

Result<std::optional<std::uint64_t>> ComposedBlobs::size_of_any(const base::Digest& digest) const {
  std::error_code absent;
  const auto whole = fs::file_size(blobs_.path(digest), absent);
  if (!absent) return std::optional<std::uint64_t>(whole);
  return size(digest);
}

Status ComposedBlobs::read(const base::Digest& digest, const std::function<Status(std::string_view)>& sink) const {
  INGOT_TRY(const auto list, parts(digest));
  if (list.empty()) return fail(ErrorKind::not_found, "there is no blob " + digest.str());
  sys::UniqueFd open;
  const base::Digest* opened = nullptr;
  for (const auto& part : list) {
    if (opened == nullptr || *opened != part.blob) {
      INGOT_TRY(open, sys::open_file(blobs_.path(part.blob), O_RDONLY));
      opened = &part.blob;
    }
    INGOT_CHECK(read_part(open.get(), part, sink));
  }
  return {};
}

Result<sys::UniqueFd> ComposedBlobs::open_any(const base::Digest& digest) const {
  if (blobs_.has(digest)) return sys::open_file(blobs_.path(digest), O_RDONLY);
  INGOT_TRY(auto file, sys::open_file(blobs_.directory(), O_RDWR | O_TMPFILE, 0600));
  INGOT_CHECK(read(digest, [&](std::string_view bytes) { return sys::write_all(file.get(), bytes); }));
  // To be read, and by others too: a descriptor that is handed out must not be one to write by.
  return sys::open_file("/proc/self/fd/" + std::to_string(file.get()), O_RDONLY);
}

}  // namespace ingot::store
