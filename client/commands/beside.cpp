#include "client/commands/beside.h"

#include "client/commands/earthfiles.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace fs = std::filesystem;

Beside::Beside(fs::path directory) : directory_(std::move(directory)) {
  if (auto rules = sys::read_file(directory_ / ".earthlyignore", 1U << 20)) rules_ = base::IgnoreRules::parse(*rules);
}

const earthfile::File* Beside::other(const std::string& directory) {
  auto [known, fresh] = others_.try_emplace(directory);
  if (fresh) {
    const fs::path path = (directory_ / directory / "Earthfile").lexically_normal();
    if (auto file = parse_earthfile(path)) known->second = std::make_unique<earthfile::File>(*std::move(file));
  }
  return known->second.get();
}

// As the scan goes down: what is in a directory that is not entered is not sent, whatever else matches it.
bool Beside::ignored(const std::string& path) const {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (rules_.ignores(above) && !rules_.may_bring_back_below(above)) return true;
  }
  return rules_.ignores(path) && !rules_.may_bring_back_below(path);
}

}  // namespace ingot::client
