#include "daemon/git/reach.h"

#include "daemon/base/strings.h"
#include "daemon/sys/addresses.h"

namespace ingot::git {

namespace {

// Of "https://me@host:1/path", "http://[::1]/path" and "git@host:path", the name or address alone.
std::string host_of(const std::string& url) {
  const std::size_t mark = url.find("://");
  std::string text = mark == std::string::npos ? url : url.substr(mark + 3);
  text.resize(std::min(text.find('/'), text.size()));
  if (const std::size_t sign = text.rfind('@'); sign != std::string::npos) text.erase(0, sign + 1);
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  return text.substr(0, text.find(':'));
}

}  // namespace

Status check_reach(const Location& location) {
  if (location.by_rule) return {};
  const auto own = sys::interface_addresses();
  for (const auto& address : sys::addresses_of(host_of(location.fetched))) {
    if (!sys::is_at_home(address, own)) continue;
    return base::fail(ErrorKind::denied,
                      "the repository " + base::printable(location.name) + " is not fetched: its host is " + address +
                          ", which is the daemon's own host or its link",
                      "recipes have no business with what only that host reaches; where it is meant, a rule of "
                      "`repositories` in the daemon's configuration names the repository, with its url");
  }
  return {};
}

}  // namespace ingot::git
