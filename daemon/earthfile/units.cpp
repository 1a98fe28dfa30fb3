#include "daemon/earthfile/units.h"

#include "daemon/base/strings.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

Units::Units(const File& first, Host& host) : host_(host) {
  units_[""] = std::make_unique<const Unit>(Unit{"", first});
}

Result<const Unit*> Units::in(const std::string& directory, const Place& from) {
  if (auto known = units_.find(directory); known != units_.end()) return known->second.get();
  const std::string path = directory + "/Earthfile";
  auto text = host_.read_file(path);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail_at(from, ErrorKind::not_found, "the project has no " + base::printable(path),
                   "a reference to another directory is ./directory+target, seen from this Earthfile");
  }
  if (!text) return base::fail(text.error());
  auto file = parse(*text, path);
  if (!file) return base::fail(text::joined(std::move(file.error())));
  auto& unit = units_[directory];
  unit = std::make_unique<const Unit>(Unit{directory, std::move(*file)});
  return unit.get();
}

}  // namespace ingot::earthfile
