#pragma once

#include <ctime>
#include <string>

namespace ingot::client {

// A file that was just fetched lies in the project, and the next build would read all of it for its digest, which is
// known. Only for files that take longer to read than this waits: until nobody can write to it any more without its
// time telling. Best effort.
class RememberDelivered {
 public:
  explicit RememberDelivered(int fd);      // before the file has its name, so that nobody else writes to it
  void landed(const std::string& digest);  // when it has

 private:
  int fd_ = -1;  // none: it is not worth it
  timespec written_{};
};

}  // namespace ingot::client
