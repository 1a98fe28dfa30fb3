#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "daemon/api/http.h"
#include "daemon/store/blobs.h"

namespace ingot::api {

// Open files that a client sent beside its bytes. One more than a request may have is kept, to tell that it was too
// many.
struct PassedIn {
  static constexpr std::size_t kMost = 2;
  std::vector<sys::UniqueFd> files;
};

// A file that a client hands over open, in place of a body.
struct PassedUpload {
  base::Digest digest;
  std::uint64_t size = 0;  // as the client says
  sys::UniqueFd file;
  std::atomic<bool> gone = false;  // the client: nobody needs the rest
};

// Looks at the request alone, never at the file: whose file system that is may be slow to answer, or never do. Kind
// `unsupported` when no file came: the client sends the bytes then. `passed` keeps what is not taken.
Result<std::shared_ptr<PassedUpload>> passed_upload(const Request& request, PassedIn& passed, std::uint64_t limit);

// Makes a blob of the file, hashing what is copied; one that is there already is not read. Fails as a body with such
// bytes would. Closes the file. May take long: for a thread that nobody else waits for.
Status keep(const store::BlobStore& blobs, PassedUpload& upload);

}  // namespace ingot::api
