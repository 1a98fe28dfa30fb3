#include "daemon/earthfile/units.h"

#include "daemon/base/strings.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

Units::Units(const File& first) {
  units_[{nullptr, ""}] = std::make_unique<const Unit>(Unit{"", first});
}

Result<const Unit*> Units::in(const Checkout* checkout, const std::string& directory, const Place& from,
                              const Read& read) {
  if (auto known = units_.find({checkout, directory}); known != units_.end()) return known->second.get();
  const std::string path = (directory.empty() ? "" : directory + "/") + "Earthfile";
  auto text = read(path);
  if (!text && text.error().kind == ErrorKind::not_found && checkout != nullptr) {
    return fail_at(from, ErrorKind::not_found,
                   "the repository " + base::printable(checkout->reference("")) + " has no " + base::printable(path),
                   "a directory in it stands behind its name: " + base::printable(checkout->repository.name) +
                       "/directory+target");
  }
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail_at(from, ErrorKind::not_found, "the project has no " + base::printable(path),
                   "a reference to another directory is ./directory+target, seen from this Earthfile");
  }
  if (!text) return base::fail(text.error());
  auto file = parse(*text, checkout != nullptr ? checkout->repository.name + "/" + path : path);
  if (!file) return base::fail(text::joined(std::move(file.error())));
  auto& unit = units_[{checkout, directory}];
  // Another strand may have read it meanwhile.
  if (!unit) unit = std::make_unique<const Unit>(Unit{directory, std::move(*file), checkout});
  return unit.get();
}

}  // namespace ingot::earthfile
