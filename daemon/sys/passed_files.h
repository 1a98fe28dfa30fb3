#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "daemon/sys/fd.h"

// Open files that travel beside bytes over a Unix socket.
namespace ingot::sys {

// As send(2): so many of the bytes are sent, or -1 with errno. The file belongs to the first of them.
ssize_t send_with_file(int socket, std::string_view bytes, int file);

// As recv(2), with these flags. Files that come with the bytes are appended to `files`; what would make them more than
// `most` is closed at once.
ssize_t receive_with_files(int socket, void* to, std::size_t size, int flags, std::vector<UniqueFd>& files,
                           std::size_t most);

}  // namespace ingot::sys
