#include "daemon/sys/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

struct Addressed {
  UniqueFd directory;  // as long as it is open, the address is good
  sockaddr_un address{};
};

// An address has room for a hundred bytes; the directory's descriptor stands for all but the last part of the path.
Result<Addressed> address_of(const std::filesystem::path& path) {
  Addressed named;
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  INGOT_TRY(named.directory, open_file(parent, O_PATH | O_DIRECTORY));
  const std::string text = "/proc/self/fd/" + std::to_string(named.directory.get()) + "/" + path.filename().string();
  if (text.size() >= sizeof named.address.sun_path) {
    return base::fail(ErrorKind::invalid, "the name of the socket " + path.string() + " is too long");
  }
  named.address.sun_family = AF_UNIX;
  std::memcpy(named.address.sun_path, text.c_str(), text.size() + 1);
  return named;
}

Result<UniqueFd> new_socket() {
  UniqueFd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made) return base::fail_errno(errno, "cannot make a socket");
  return made;
}

}  // namespace

Result<UniqueFd> bind_unix(const std::filesystem::path& path) {
  INGOT_TRY(const auto named, address_of(path));
  INGOT_TRY(auto made, new_socket());
  const bool bound = bind(made.get(), reinterpret_cast<const sockaddr*>(&named.address), sizeof named.address) == 0 &&
                     chmod(path.c_str(), 0600) == 0;
  if (!bound) return base::fail_errno(errno, "cannot make the socket " + path.string());
  return made;
}

Result<UniqueFd> connect_unix(const std::filesystem::path& path) {
  INGOT_TRY(const auto named, address_of(path));
  INGOT_TRY(auto made, new_socket());
  if (connect(made.get(), reinterpret_cast<const sockaddr*>(&named.address), sizeof named.address) == 0) return made;
  return base::fail(ErrorKind::unavailable, "nobody answers at " + path.string() + ": " + std::strerror(errno));
}

}  // namespace ingot::sys
