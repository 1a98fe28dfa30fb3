#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // further groups that the user is a member of
  std::string home = "/";
};

// "user", "user:group", names or numbers, by the /etc/passwd and /etc/group of the image, never the host's. "" is root.
// Without ":group" it is the user's own group, or for a bare number that passwd does not know, the number of root.
Result<Account> find_account(const sys::RootedDir& root, const std::string& spec);

}  // namespace ingot::store
