#pragma once

#include <string>

namespace ingot::client {

// A file that was just fetched lies in the project most often, and the next build would read all of it for its digest,
// which is known. Only for files that take longer to read than this waits: until nobody can write to it any more
// without its time telling. Best effort.
void remember_delivered(int fd, const std::string& digest);

}  // namespace ingot::client
