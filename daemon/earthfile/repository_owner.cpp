#include "daemon/earthfile/repository_owner.h"

#include <algorithm>

namespace ingot::earthfile {

std::string owner_of(const std::string& repository) {
  const std::size_t host = std::min(repository.find('/'), repository.size());
  return repository.substr(0, repository.find('/', std::min(host + 1, repository.size())));
}

std::string asked_by_too(const std::string& asked_by, const std::string& owner) {
  return asked_by.empty() || asked_by == owner ? owner : kSeveralOwners;
}

}  // namespace ingot::earthfile
