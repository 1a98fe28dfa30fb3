#include "client/fetch/hashed_output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ingot::client {

namespace {

// Fills the block, or reads to the body's end. On a broken connection the block holds what came before.
Status fill(HttpConnection& connection, Block& block, bool& ended) {
  while (block.size < block.bytes.size()) {
    INGOT_TRY(auto got, connection.read_some(block.bytes.data() + block.size, block.bytes.size() - block.size));
    if (got == 0) {
      ended = true;
      return {};
    }
    block.size += got;
  }
  return {};
}

}  // namespace

Status HashedOutput::hash_existing(std::uint64_t size) {
  for (std::uint64_t at = 0; at < size;) {
    Block block = hasher_.take();
    const std::uint64_t wanted = std::min<std::uint64_t>(block.bytes.size(), size - at);
    ssize_t got = 0;
    do {
      got = pread(fd_, block.bytes.data(), wanted, static_cast<off_t>(at));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return base::fail_errno(got < 0 ? errno : EIO, "cannot read the part that was fetched before");
    block.size = static_cast<std::size_t>(got);
    at += block.size;
    hasher_.give(std::move(block));
  }
  return {};
}

Status HashedOutput::take(HttpConnection& connection, const std::function<void(std::uint64_t)>& written) {
  for (bool ended = false; !ended;) {
    Block block = hasher_.take();
    Status read = fill(connection, block, ended);
    INGOT_CHECK(sys::write_all(fd_, {block.bytes.data(), block.size}));
    written(block.size);
    hasher_.give(std::move(block));
    if (!read) return read;
  }
  return {};
}

}  // namespace ingot::client
